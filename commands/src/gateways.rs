//! Adapters of the ports.

pub mod carriers;
mod facts_assistant;
pub mod incoming;
mod log_carrier;
mod media;
mod simulated;
pub mod stripe;
mod system;
mod zip_directory;

pub use facts_assistant::FactsAssistant;
pub use log_carrier::LogCarrier;
pub use media::{ObjectMedia, S3Setup, S3SetupError};
pub use simulated::{SeededIds, SimulatedClock};
pub use system::{SystemClock, SystemIds};
pub use zip_directory::ZipDirectory;
