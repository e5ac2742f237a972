//! What the write side asks of the world.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::place::{Place, Travel, ZipCode};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes identifiers.
pub trait Ids: Send + Sync {
    /// A new id; later ones sort after earlier ones.
    fn next(&self, now: DateTime<Utc>) -> Uuid;
}

/// Knows where ZIP codes are.
pub trait Places: Send + Sync {
    /// What is known of a ZIP; none for one that does not exist.
    fn find(&self, zip: &ZipCode) -> Option<Place>;
    /// The way from one ZIP to another; none where one is unknown.
    fn travel(&self, from: &ZipCode, to: &ZipCode) -> Option<Travel>;
}

/// All ports of the write side. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
    /// Knows where ZIP codes are.
    pub places: Arc<dyn Places>,
}

impl Ports {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> Uuid {
        self.ids.next(self.clock.now())
    }
}
