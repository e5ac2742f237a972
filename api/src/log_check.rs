//! Logs held against their hashes for the jobs that recur.

use std::time::Duration;

use async_trait::async_trait;
use commands::ports::{CheckedTo, LogCheck, LogCheckError, LogChecked};
use domain::ids::TenantId;
use event_log::EventLog;
use replays::{Onward, VerifiedTo, VerifyError, verify_onward};

/// Verifies on from where a log was verified to.
pub(crate) struct VerifyLogs(pub(crate) EventLog);

#[async_trait]
impl LogCheck for VerifyLogs {
    async fn check_on(
        &self,
        tenant: TenantId,
        from: Option<CheckedTo>,
        at_most: Duration,
    ) -> Result<LogChecked, LogCheckError> {
        let from = from.as_ref().and_then(verified_to).unwrap_or(VerifiedTo::START);
        match verify_onward(&self.0, tenant, from, at_most).await {
            Ok(Onward::Head(to)) => Ok(checked(to, true)),
            Ok(Onward::Part(to)) => Ok(checked(to, false)),
            Err(VerifyError::Log(error)) => Err(LogCheckError::Unavailable(error)),
            Err(error @ (VerifyError::Lie(_) | VerifyError::OtherLog { .. })) => {
                Err(LogCheckError::Changed(error.to_string()))
            }
        }
    }
}

/// The place of a mark; none where it is of no hash, and the log is verified from its beginning.
fn verified_to(to: &CheckedTo) -> Option<VerifiedTo> {
    let mut block_hash = [0; 32];
    hex::decode_to_slice(&to.block_hash, &mut block_hash).ok()?;
    Some(VerifiedTo {
        position: to.position,
        block: to.block,
        block_hash,
    })
}

fn checked(to: VerifiedTo, is_head: bool) -> LogChecked {
    LogChecked {
        to: CheckedTo {
            position: to.position,
            block: to.block,
            block_hash: hex::encode(to.block_hash),
        },
        is_head,
    }
}
