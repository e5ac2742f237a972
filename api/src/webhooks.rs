//! What other programs tell this one by themselves.

mod stripe;

pub(crate) use stripe::{stripe, stripe_of};
