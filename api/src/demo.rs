//! The demo company: made through the real commands, with a simulated clock for what lies in the past.

mod aside;
mod before;
mod bookings;
mod cards;
mod closing;
mod company;
mod leads;
mod letters;
mod money;
mod papers;
mod people;
mod prices;
mod reviews;
mod staff;
mod steps;
mod talks;
mod tour;
mod year;

pub use bookings::{Made, bookings};
pub use company::{company, is_whole};
pub use year::Year;

/// Slug of the demo company.
pub const SLUG: &str = "my-hibachi";
/// Password of all its users.
pub const PASSWORD: &str = "hibachi-demo-1";
