//! The read side: one file per question that is asked, each with its row, its fold and its queries.
//!
//! A read model can be dropped and rebuilt from the log at any time. Nothing here emits an event, calls
//! out, or reads a clock: what a fold cannot know from the event is in the event.

mod engine;

pub mod api_key_list;
pub mod audit_trail;
pub mod booking_ledger;
pub mod booking_list;
pub mod books;
pub mod calendar;
pub mod changes;
pub mod chef_list;
pub mod conversation_list;
pub mod conversation_thread;
pub mod customer_list;
pub mod dashboard;
pub mod document_list;
pub mod escalation_list;
pub mod escalation_stats;
mod id_list;
pub mod job_list;
pub mod lead_list;
pub mod local_day;
pub mod message_list;
pub mod message_template_list;
pub mod payment_list;
pub mod period;
pub mod price_history;
pub mod price_list;
pub mod promo_list;
pub mod review_list;
pub mod station_list;
pub mod tax_cash;
pub mod tax_export;
pub mod tax_ledger;
pub mod tax_periods;
pub mod tax_rates;
pub mod tax_report;
pub mod tax_summary;
#[cfg(test)]
mod testing;
pub mod user_list;
pub mod work_list;

pub use id_list::IdList;

pub use engine::{
    Answer, AsOfMemory, At, BadCursor, Batch, Checked, Column, ColumnInfo, Condition, Cursor, Difference,
    Direction, Extent, Finish, FirstPages, Fold, Folding, Fresh, GenerationError, GenerationState,
    GenerationStatus, HeldBack, Key, Kind, Late, Listed, Order, Page, Poison, Progress, Projection,
    ProjectionError, ProjectionHealth, ProjectionState, ProjectionStatus, Ran, ReadError, ReadInfo,
    ReadModels, Rebuild, Rebuilt, Retried, RolledBack, Row, Sample, Select, Settled, Slice, Source, Touched,
    Unwatched, Value, Waited, WaitingEvent, Worker, projection, registry,
};
