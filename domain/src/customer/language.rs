//! In which language a customer is written to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::locale::Locale;

/// A customer is written to in another language from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLocaleSet {
    /// Which; absent where it is the company's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// Which it was until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Locale>,
    /// When.
    pub set_at: DateTime<Utc>,
}
