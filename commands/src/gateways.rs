//! Adapters of the ports.

mod simulated;
pub mod stripe;
mod system;
mod zip_directory;

pub use simulated::{SeededIds, SimulatedClock};
pub use system::{SystemClock, SystemIds};
pub use zip_directory::ZipDirectory;
