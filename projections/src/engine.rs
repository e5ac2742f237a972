//! What runs the folds: one fold, three runners.
//!
//! ```text
//!             ┌── live    : follow the log, load the touched rows, fold, upsert, checkpoint; one transaction
//!    fold ────┼── rebuild : fold the whole log in memory, copy into a new generation, compare, swap
//!             └── as-of   : fold up to a position in memory, answer the query, throw away
//! ```

mod as_of;
mod check;
mod checkpoint;
mod column;
mod copy;
mod decode;
mod difference;
mod error;
mod fold;
mod folding;
mod generations;
mod health;
mod held_back;
mod history;
mod incomplete;
mod joint;
mod measures;
mod models;
mod pages;
mod parked;
mod parked_list;
mod parked_table;
mod progress;
mod projection;
mod read;
mod rebuild;
mod registry;
mod retry;
mod rows;
mod runner;
mod select;
mod select_memory;
mod select_sql;
mod settled;
mod status;
mod sums;
mod table;
mod worker;

pub use as_of::AsOfMemory;
pub(crate) use as_of::unanswered;
pub use check::{Extent, Sample};
pub use column::{Column, Kind, Value};
pub(crate) use column::{json_len, shown_only};
pub use difference::{Checked, Difference};
pub use error::{GenerationError, ProjectionError, ReadError};
#[cfg(test)]
pub(crate) use fold::Rows;
pub use fold::{Fold, Key, Poison, Row, Source};
pub(crate) use fold::{one_or_tuple, row};
pub use folding::{ColumnInfo, Folding, Touched};
pub use generations::{GenerationState, GenerationStatus};
pub use health::ProjectionHealth;
pub use history::Batch;
pub(crate) use history::{beside, events_between, events_until};
pub use models::ReadModels;
pub(crate) use pages::Wanted;
pub use parked_list::{HeldBack, WaitingEvent};
pub use progress::{Progress, Unwatched};
pub use projection::Projection;
pub use read::{Answer, At, FirstPages, Fresh, Late, Listed, Page, ReadInfo};
pub(crate) use read::{info, station_scope};
pub use rebuild::{Finish, Rebuild, Rebuilt, RolledBack};
pub use registry::{projection, registry};
pub use retry::Retried;
pub use runner::Ran;
pub use select::{BadCursor, Condition, Cursor, Direction, Order, Select, Slice};
pub use settled::Settled;
pub use status::{ProjectionState, ProjectionStatus, Waited};
pub(crate) use sums::{Group, Sums};
pub use worker::Worker;

#[cfg(test)]
mod tests;
