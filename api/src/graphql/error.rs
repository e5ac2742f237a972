//! Refusals as data, faults as errors with a code.

use async_graphql::{Error, ErrorExtensions, Response, SimpleObject, Value};
use chrono::SecondsFormat;
use commands::{CommandError, Refused};
use projections::ReadError;

/// Why a command was refused.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct UserError {
    /// Stable code in capitals, for programs.
    code: String,
    /// Path of the input field at fault, outermost first; empty when it is the whole command.
    field: Vec<String>,
    /// A sentence that a person can act on.
    message: String,
}

impl UserError {
    pub(super) fn new(code: &str, field: &[&str], message: impl Into<String>) -> Self {
        let field = field.iter().map(|part| (*part).to_owned()).collect();
        Self {
            code: code.to_owned(),
            field,
            message: message.into(),
        }
    }

    /// What the domain or a command refuses.
    pub(super) fn of(refused: impl Into<Refused>) -> Self {
        let Refused { code, field, message } = refused.into();
        Self::new(code, &field, message)
    }

    pub(super) fn not_found(field: &str, noun: &str) -> Self {
        Self::new("NOT_FOUND", &[field], format!("there is no such {noun}"))
    }
}

/// What a command came to: written, refused, or a fault.
pub(super) fn outcome<W>(done: Result<W, CommandError>) -> Result<Result<W, UserError>, Error> {
    let error = match done {
        Ok(written) => return Ok(Ok(written)),
        Err(error) => error,
    };
    match error {
        CommandError::Refused(Refused { code, field, message }) => {
            Ok(Err(UserError::new(code, &field, message)))
        }
        CommandError::VersionConflict { .. } => Ok(Err(UserError::new(
            "VERSION_CONFLICT",
            &["expectedVersion"],
            error.to_string(),
        ))),
        CommandError::IdempotencyMismatch => Ok(Err(UserError::new(
            "IDEMPOTENCY_MISMATCH",
            &["idempotencyKey"],
            error.to_string(),
        ))),
        CommandError::InProgress { .. } => Ok(Err(UserError::new(
            "IN_PROGRESS",
            &["idempotencyKey"],
            error.to_string(),
        ))),
        CommandError::Conflict => Ok(Err(UserError::new("CONFLICT", &[], error.to_string()))),
        CommandError::Forbidden(_) => Err(coded("FORBIDDEN", error.to_string())),
        CommandError::Unavailable(_) | CommandError::Store(_) => Err(fault("UNAVAILABLE", &error)),
        CommandError::Unreadable(_) => Err(fault("INTERNAL", &error)),
    }
}

/// A refused question: questions have no payload to carry refusals in.
pub(super) fn refused_question(error: CommandError) -> Error {
    match error {
        CommandError::Refused(refused) => Error::new(refused.message).extend_with(|_, extensions| {
            extensions.set("code", refused.code);
            extensions.set(
                "field",
                refused
                    .field
                    .iter()
                    .map(|part| Value::from(*part))
                    .collect::<Vec<_>>(),
            );
        }),
        CommandError::Forbidden(_) => coded("FORBIDDEN", error.to_string()),
        CommandError::VersionConflict { .. }
        | CommandError::Conflict
        | CommandError::IdempotencyMismatch
        | CommandError::InProgress { .. } => coded("CONFLICT", error.to_string()),
        CommandError::Unavailable(_) | CommandError::Store(_) => fault("UNAVAILABLE", &error),
        CommandError::Unreadable(_) => fault("INTERNAL", &error),
    }
}

/// Why a read model does not answer.
pub(super) fn unread(error: ReadError) -> Error {
    match &error {
        ReadError::Forbidden(_) => coded("FORBIDDEN", error.to_string()),
        ReadError::StaleRead { .. } | ReadError::AsOfInFuture { .. } | ReadError::InstantInFuture { .. } => {
            of_moment(&error)
        }
        ReadError::BadCursor(_) => coded("INVALID_CURSOR", error.to_string()),
        ReadError::Log(_) => fault("UNAVAILABLE", &error),
        ReadError::Unreadable { .. } => fault("INTERNAL", &error),
    }
}

/// There is no answer as of the moment that was asked for, or not yet.
pub(super) fn of_moment(error: &ReadError) -> Error {
    match error {
        ReadError::StaleRead { position, head, .. } => retryable(
            coded("STALE_READ", error.to_string()),
            &[("position", position.0), ("head", head.0)],
        ),
        ReadError::AsOfInFuture { head, .. } => {
            let refused = coded("AS_OF_IN_FUTURE", error.to_string());
            refused.extend_with(|_, extensions| extensions.set("head", head.0))
        }
        ReadError::InstantInFuture { now, .. } => {
            let refused = coded("AS_OF_IN_FUTURE", error.to_string());
            let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
            refused.extend_with(|_, extensions| extensions.set("now", now))
        }
        ReadError::Forbidden(_)
        | ReadError::BadCursor(_)
        | ReadError::Unreadable { .. }
        | ReadError::Log(_) => fault("INTERNAL", error),
    }
}

/// An error that is worth asking again, with positions that tell when.
fn retryable(error: Error, positions: &[(&str, i64)]) -> Error {
    error.extend_with(|_, extensions| {
        extensions.set("retryable", true);
        for (name, position) in positions {
            extensions.set(*name, *position);
        }
    })
}

/// One read model is behind another: what one row refers to is not there yet. Worth asking again.
pub(super) fn behind() -> Error {
    retryable(
        coded("STALE_READ", "one read model is behind another; ask again"),
        &[],
    )
}

/// An error with a code.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// A fault: logged whole, told in a sentence.
pub(super) fn fault(code: &'static str, error: &dyn std::error::Error) -> Error {
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes = format!("{causes}: {cause}");
        source = cause.source();
    }
    tracing::error!(code, causes, "a request failed");
    coded(
        code,
        "this cannot be answered now; try again, and name the request id if it stays so",
    )
}

/// Gives every error a code and the request's id.
pub(super) fn complete(mut response: Response, request_id: &str) -> Response {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            // Without a path the operation was never begun: it does not fit the schema or its limits.
            let code = if error.path.is_empty() {
                "GRAPHQL_VALIDATION_FAILED"
            } else {
                "BAD_USER_INPUT"
            };
            extensions.set("code", code);
        }
        extensions.set("requestId", request_id);
    }
    response
}
