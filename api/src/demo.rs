//! The demo company: made through the real commands, with a simulated clock for what lies in the past.

mod bookings;
mod cards;
mod company;
mod money;
mod people;
mod prices;
mod staff;
mod year;

pub use bookings::{Made, bookings};
pub use company::company;
pub use year::Year;

/// Slug of the demo company.
pub const SLUG: &str = "my-hibachi";
/// Password of all its users.
pub const PASSWORD: &str = "hibachi-demo-1";
