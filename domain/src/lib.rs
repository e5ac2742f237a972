//! The business, as pure synchronous Rust: values, deciders and events.
//!
//! Nothing in here reads a clock, a random source, the network or a database; time, ids, prices,
//! rates and distances arrive in the command.

pub mod access;
pub mod availability;
pub mod bank_mail;
pub mod booking;
pub mod calendar;
pub mod canonical;
pub mod charges;
pub mod chef;
pub mod conversation;
pub mod customer;
pub mod decider;
pub mod document;
pub mod envelope;
pub mod escalation;
pub mod feature_flag;
pub mod guests;
pub mod ids;
pub mod job;
pub mod lead;
pub mod locale;
pub mod message;
pub mod message_settings;
pub mod message_template;
pub mod money;
pub mod organisation;
pub mod payment;
pub mod place;
pub mod price_list;
pub mod promo_code;
pub mod quote;
pub mod recorded;
pub mod review;
pub mod router;
pub mod schedule;
pub mod shape;
pub mod station;
pub mod tax;
pub mod tax_account;
pub mod tax_period;
pub mod tax_rate;
pub mod user;
pub mod work_item;

/// SHA-256 over this crate's sources: a state that was folded by other code is not this program's, even where its
/// shape is the same. See `docs/adr/0008-snapshots-by-source-hash.md`.
pub const SOURCE_HASH: [u8; 32] = include!(concat!(env!("OUT_DIR"), "/source_hash.rs"));
