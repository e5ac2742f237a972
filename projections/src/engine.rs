//! What runs the folds: one fold, three runners.
//!
//! ```text
//!             ┌── live    : follow the log, load the touched rows, fold, upsert, checkpoint; one transaction
//!    fold ────┼── rebuild : fold the whole log in memory, copy into a new generation, compare, swap
//!             └── as-of   : fold up to a position in memory, answer the query, throw away
//! ```

mod as_of;
mod checkpoint;
mod column;
mod copy;
mod difference;
mod error;
mod fold;
mod history;
mod models;
mod progress;
mod read;
mod rebuild;
mod registry;
mod runner;
mod select;
mod select_memory;
mod select_sql;
mod status;
mod table;
mod worker;

pub(crate) use column::shown_only;
pub use column::{Column, Kind, Value};
pub use difference::{Checked, Difference};
pub use error::{ProjectionError, ReadError};
#[cfg(test)]
pub(crate) use fold::Rows;
pub use fold::{Fold, Key, Row};
pub(crate) use fold::{one_or_tuple, row};
pub use history::Batch;
pub use models::ReadModels;
pub use progress::{Progress, Unwatched};
pub(crate) use read::station_scope;
pub use read::{Answer, At, Fresh, Listed, Page, ReadInfo};
pub use rebuild::Rebuilt;
pub use registry::{Projection, projection, registry};
pub use runner::Ran;
pub use select::{BadCursor, Condition, Cursor, Direction, Order, Select, Slice};
pub use status::{ProjectionState, ProjectionStatus, Waited};
pub use worker::Worker;

#[cfg(test)]
mod tests;
