//! Stripe over plain HTTPS: a small client of our own, and its webhooks.
//!
//! Only what this program needs: intents, refunds, and the events about them. Amounts are whole cents of USD.

mod client;
mod notice;
mod signature;

pub use client::{Stripe, StripeKey, StripeSetup};
pub use notice::{Notice, NoticeError, Subject};
pub use signature::{SignatureError, WebhookSecrets, check_signature};
