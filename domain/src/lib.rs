//! The business, as pure synchronous Rust: values, deciders and events.
//!
//! Nothing in here reads a clock, a random source, the network or a database; time, ids, prices,
//! rates and distances arrive in the command.

pub mod access;
pub mod canonical;
pub mod decider;
pub mod envelope;
pub mod ids;
