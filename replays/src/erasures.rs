//! Checking erasures: each one that the log tells of is held against its receipt, the keys, the claims and every
//! value that was ever sealed for the person.

use std::collections::HashMap;
use std::pin::pin;

use chrono::{DateTime, Utc};
use domain::customer::{CUSTOMER_EMAIL, CUSTOMER_PHONE, Customer, CustomerErased, CustomerEvent};
use domain::decider::{Decider, DecodeError};
use domain::envelope::{Position, Sealed, StoredEvent, StreamId};
use domain::ids::{SubjectId, TenantId};
use domain::lead::LeadEvent;
use domain::recorded::{DomainEvent, Recorded};
use event_log::{EventLog, LogError, Opened, SubjectKey, Vault, sealed_under};
use futures::TryStreamExt;
use serde_json::Value;

use crate::{Progress, VerifyError, verify};

/// Wire names of the events that destroy keys.
pub(crate) const ERASING: &[&str] = &["customer.erased", "lead.purged"];

/// An erasure that the log tells of, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The stream of the customer, or of the lead whose time was over.
    pub of: StreamId,
    /// Where the receipt is in the log, whose hashes were verified.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who erased, as the log has them.
    pub actor: String,
    /// The receipt; a lead's as a customer's would be, who can be found by nothing.
    pub receipt: CustomerErased,
    /// Values that were sealed under the destroyed keys; nobody can open them.
    pub values: u64,
    /// What is not as the receipt says.
    pub findings: Vec<Remains>,
}

/// What an erasure has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remains {
    /// The key of a person is still there.
    Key(SubjectId),
    /// Nothing keeps a person from getting a key again.
    NoMark(SubjectId),
    /// A value was sealed under another key than the one that was destroyed.
    OtherKey(Position),
    /// A value opens.
    Readable(Position),
    /// The customer can still be found by an e-mail or phone; the scope of the claim.
    Claim(&'static str),
}

impl std::fmt::Display for Remains {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(subject) => write!(f, "the key of {subject} is still there"),
            Self::NoMark(subject) => write!(f, "{subject} could get a key again"),
            Self::OtherKey(position) => {
                write!(
                    f,
                    "position {position}: a value is under another key than the one that was destroyed"
                )
            }
            Self::Readable(position) => write!(f, "position {position}: a value can be read"),
            Self::Claim(scope) => write!(f, "the customer still holds a {scope}"),
        }
    }
}

/// Why erasures could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum ErasuresError {
    /// The log lies, or cannot be read: then a receipt in it proves nothing.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The log or the keys cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log holds an event that this program cannot read.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

/// Verifies a tenant's log, and checks every erasure that it tells of.
///
/// # Errors
/// [`ErasuresError`]; what is wrong with an erasure is no error but among its findings.
pub async fn erasures(
    log: &EventLog,
    vault: &Vault,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Vec<Erasure>, ErasuresError> {
    verify(log, tenant, progress).await?;
    let mut erasures = receipts(log, tenant).await?;
    for erasure in &mut erasures {
        check_keys(vault, tenant, erasure).await?;
        check_claims(log, tenant, erasure).await?;
    }
    check_values(log, vault, tenant, &mut erasures).await?;
    Ok(erasures)
}

async fn receipts(log: &EventLog, tenant: TenantId) -> Result<Vec<Erasure>, ErasuresError> {
    let mut found = Vec::new();
    let mut erasing = pin!(log.stream_types(tenant, Position::START, ERASING));
    while let Some(stored) = erasing.try_next().await? {
        let recorded = Recorded::try_from(stored)?;
        let Some(receipt) = receipt(recorded.event) else {
            continue;
        };
        found.push(Erasure {
            of: recorded.stream,
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            actor: recorded.meta.actor_id,
            receipt,
            values: 0,
            findings: Vec::new(),
        });
    }
    Ok(found)
}

fn receipt(event: DomainEvent) -> Option<CustomerErased> {
    if let DomainEvent::Lead(LeadEvent::Purged(purged)) = event {
        return Some(CustomerErased {
            reason: format!("kept for {} months", purged.months),
            destroyed: purged.destroyed,
            email_key: None,
            phone_key: None,
        });
    }
    if let DomainEvent::Customer(CustomerEvent::Erased(receipt)) = event {
        return Some(receipt);
    }
    None
}

async fn check_keys(vault: &Vault, tenant: TenantId, erasure: &mut Erasure) -> Result<(), LogError> {
    let destroyed = &erasure.receipt.destroyed;
    let subjects: Vec<SubjectId> = destroyed.iter().map(|key| key.subject).collect();
    let keys = vault.subject_keys(tenant, &subjects).await?;
    for subject in subjects {
        match keys.get(&subject) {
            Some(SubjectKey::Destroyed { .. }) => {}
            Some(SubjectKey::Living(_)) => erasure.findings.push(Remains::Key(subject)),
            None => erasure.findings.push(Remains::NoMark(subject)),
        }
    }
    Ok(())
}

async fn check_claims(log: &EventLog, tenant: TenantId, erasure: &mut Erasure) -> Result<(), LogError> {
    for (scope, key) in [
        (CUSTOMER_EMAIL, &erasure.receipt.email_key),
        (CUSTOMER_PHONE, &erasure.receipt.phone_key),
    ] {
        let Some(key) = key else { continue };
        let holder = log.unique_holder(tenant, scope, key).await?;
        if holder.is_some_and(|holder| holder.kind == Customer::STREAM && holder == erasure.of) {
            erasure.findings.push(Remains::Claim(scope));
        }
    }
    Ok(())
}

/// Walks the whole log for what was sealed for the erased.
async fn check_values(
    log: &EventLog,
    vault: &Vault,
    tenant: TenantId,
    erasures: &mut [Erasure],
) -> Result<(), LogError> {
    let mut of: HashMap<SubjectId, (usize, Option<String>)> = HashMap::new();
    for (index, erasure) in erasures.iter().enumerate() {
        for key in &erasure.receipt.destroyed {
            of.insert(key.subject, (index, key.key_id.clone()));
        }
    }
    if of.is_empty() {
        return Ok(());
    }
    let mut events = pin!(log.stream_all(tenant, Position::START, None, None));
    while let Some(event) = events.try_next().await? {
        for (field, sealed) in sealed_values(&event) {
            let Some((index, key_id)) = of.get(&sealed.subject) else {
                continue;
            };
            let erasure = &mut erasures[*index];
            erasure.values += 1;
            let under = sealed_under(&sealed).map(|key| key.to_string());
            if under.ok() != *key_id {
                erasure.findings.push(Remains::OtherKey(event.position));
            }
            // Only what has no key is erased; with one, even under a wrong name of the field, it does not open.
            match vault.open(tenant, &event.stream, &field, &sealed).await {
                Ok(Opened::Erased) => {}
                Ok(Opened::Text(_)) | Err(LogError::Unopenable) => {
                    erasure.findings.push(Remains::Readable(event.position));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Everything sealed in an event, with the path of each.
pub(crate) fn sealed_values(event: &StoredEvent) -> Vec<(String, Sealed)> {
    let mut found = Vec::new();
    if event.payload.contains("\"sealed\"")
        && let Ok(payload) = serde_json::from_str(&event.payload)
    {
        collect(&payload, "", &mut found);
    }
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<(String, Sealed)>) {
    match value {
        Value::Object(fields) => {
            if let Ok(sealed) = serde_json::from_value::<Sealed>(value.clone()) {
                found.push((path.to_owned(), sealed));
                return;
            }
            for (name, field) in fields {
                // A contact's fields are sealed under their own names, wherever the contact stands.
                let path = if path.is_empty() || path == "contact" {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(field, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
