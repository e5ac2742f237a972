//! What is answered where something cannot be done: problem details (RFC 9457), the same for every path under `/api/v1`,
//! whoever it is that refuses: a rule, this program's limits, or the framework below it.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use commands::{CommandError, Refused};
use projections::ReadError;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use crate::http::{REQUEST_ID, is_under, text_header};

/// The media type of problem details.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// What the types of problems begin with.
const TYPES: &str = "urn:hibachi:problem:";

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldProblem {
    /// Path of the field in what was sent, its parts joined by dots: `venue.zip`.
    pub(crate) field: String,
    /// Stable code in capitals, as the problem has it.
    pub(crate) code: String,
    /// A sentence that a person can act on.
    pub(crate) detail: String,
}

/// Why something cannot be done (RFC 9457). Nothing is half done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemDetails {
    /// What kind of problem it is, as a URI: the code in another form. It is a name and leads nowhere.
    #[serde(rename = "type")]
    #[schema(example = "urn:hibachi:problem:slot-unavailable")]
    pub(crate) kind: String,
    /// The kind in words, always the same for a code.
    #[schema(example = "Slot unavailable")]
    pub(crate) title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What is wrong this time: a sentence that a person can act on.
    pub(crate) detail: String,
    /// Stable code in capitals, for programs.
    #[schema(example = "SLOT_UNAVAILABLE")]
    pub(crate) code: String,
    /// The request, by the id that is in `x-request-id` too: name it to the company's operator.
    pub(crate) request_id: String,
    /// The fields at fault; empty where it is the whole.
    pub(crate) errors: Vec<FieldProblem>,
}

/// What every operation may answer beside what it is there for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers; they are made of `Problem`")]
pub(crate) enum Refusals {
    /// What was sent is not what is described here: another shape, a field that there is not, a header that is missing.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemDetails),
    /// There is no such thing, or it is another company's.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemDetails),
    /// The path does not know this method.
    #[response(status = 405, content_type = "application/problem+json")]
    MethodNotAllowed(ProblemDetails),
    /// Too much was asked from this address; `Retry-After` says in how many seconds to come again.
    #[response(status = 429, content_type = "application/problem+json")]
    Throttled(ProblemDetails),
    /// A fault here. Name the request's id.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemDetails),
    /// It cannot be answered now. Try again, with the same key.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDetails),
    /// It took too long. What was begun goes on to its end: try again, with the same key.
    #[response(status = 504, content_type = "application/problem+json")]
    TimedOut(ProblemDetails),
}

/// What an operation with a body may answer as well.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers; they are made of `Problem`")]
pub(crate) enum BodyRefusals {
    /// The same key came with another body before, or its first request is still at work.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemDetails),
    /// The body is longer than is taken.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDetails),
    /// The body is no `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemDetails),
}

/// What a question or a command may be refused with by a rule of the business.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers; they are made of `Problem`")]
pub(crate) enum RuleRefusals {
    /// A rule of the company forbids it; `code` says which.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemDetails),
}

/// How much of the old shape an answer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Problem,
    /// With an `error` object as well, which pages for reviews have gone by from the beginning.
    WithError,
}

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    errors: Vec<FieldProblem>,
    retry_after: Option<u32>,
    shape: Shape,
}

impl Problem {
    /// A refusal of the whole.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            shape: Shape::Problem,
        }
    }

    /// The same, for a field.
    pub(crate) fn of_field(mut self, field: &[&str]) -> Self {
        let part = |part: &&str| part.replace("Minor", "Cents");
        let field = field.iter().map(part).collect::<Vec<_>>().join(".");
        if !field.is_empty() {
            self.errors.push(FieldProblem {
                field,
                code: self.code.clone(),
                detail: self.detail.clone(),
            });
        }
        self
    }

    /// The same, worth asking again after so many seconds.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The same, with the object that pages for reviews go by.
    pub(crate) fn with_error(self) -> Self {
        Self {
            shape: Shape::WithError,
            ..self
        }
    }

    /// There is no such thing.
    pub(crate) fn not_found(noun: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format!("there is no such {noun}"),
        )
    }

    /// Something is out of reach: logged whole, told in a sentence.
    pub(crate) fn unavailable(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a customer's page is not answered");
        let told = "this cannot be answered now; try again, with the same idempotency key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", told).retry_after(1)
    }

    /// Something here is broken: logged whole, told by the request's id alone.
    fn fault(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a customer's page is not answered");
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// Its sentence.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    fn of_status(status: StatusCode) -> Self {
        let (code, told) = words_for(status);
        Self::new(status, code, told)
    }

    fn body(&self, request_id: &str) -> Value {
        let words = self.code.to_lowercase();
        let mut title = words.replace('_', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let details = ProblemDetails {
            kind: format!("{TYPES}{}", words.replace('_', "-")),
            title,
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.clone(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        };
        let mut body = json!(details);
        if self.shape == Shape::WithError {
            let field: Option<Vec<&str>> = self.errors.first().map(|error| error.field.split('.').collect());
            body["error"] = json!({
                "code": self.code, "field": field.unwrap_or_default(), "message": self.detail,
            });
        }
        body
    }
}

/// Code and sentence of what is refused without any.
pub(crate) fn words_for(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("NOT_FOUND", "there is nothing here"),
        StatusCode::METHOD_NOT_ALLOWED => ("METHOD_NOT_ALLOWED", "the path does not know this method"),
        StatusCode::PAYLOAD_TOO_LARGE => ("PAYLOAD_TOO_LARGE", "the body is longer than is taken"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("UNSUPPORTED_MEDIA_TYPE", "send application/json"),
        StatusCode::GATEWAY_TIMEOUT => (
            "TIMED_OUT",
            "it took too long; what was begun goes on: try again, with the same idempotency key",
        ),
        status if status.is_client_error() => ("BAD_REQUEST", "this cannot be read"),
        _ => (
            "INTERNAL",
            "a fault here; name the request's id to the company's operator",
        ),
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let told = error.to_string();
        match error {
            CommandError::Refused(refused) => refused.into(),
            CommandError::IdempotencyMismatch => Self::new(
                StatusCode::CONFLICT,
                "IDEMPOTENCY_MISMATCH",
                "this idempotency key came with another body before; make a new one",
            )
            .of_field(&["Idempotency-Key"]),
            CommandError::InProgress { .. } => {
                Self::new(StatusCode::CONFLICT, "IN_PROGRESS", told).retry_after(1)
            }
            CommandError::Conflict | CommandError::VersionConflict { .. } => {
                Self::new(StatusCode::CONFLICT, "CONFLICT", told).retry_after(1)
            }
            CommandError::Forbidden(_) => Self::new(
                StatusCode::FORBIDDEN,
                "FORBIDDEN",
                "this is not for customers' pages",
            ),
            CommandError::Unavailable(_) | CommandError::Store(_) => Self::unavailable(&told),
            CommandError::Unreadable(_) => Self::fault(&told),
        }
    }
}

/// Seconds after which a payment provider that did not answer may be there again.
const PROVIDER_PAUSE: u32 = 5;
/// Refusals of promo codes that would tell strangers which codes there are and were, and who is a customer.
const PROMO_SECRETS: [&str; 8] = [
    "PROMO_UNKNOWN",
    "PROMO_NOT_STARTED",
    "PROMO_EXPIRED",
    "PROMO_NOT_HERE",
    "PROMO_NOT_YOURS",
    "PROMO_NOT_FIRST_TIME",
    "PROMO_USED_UP",
    "PROMO_USED_BY_CUSTOMER",
];

impl From<Refused> for Problem {
    fn from(Refused { code, field, message }: Refused) -> Self {
        if PROMO_SECRETS.contains(&code) {
            let told = "this promo code cannot be used for this party";
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "PROMO_NOT_USABLE", told).of_field(&field);
        }
        let status = match code {
            "NOT_FOUND" | "LINK_UNKNOWN" | "SITE_NOT_SHOWN" => StatusCode::NOT_FOUND,
            "LINK_USED" | "LINK_EXPIRED" | "LINK_CANCELLED" | "CUSTOMER_ERASED" => StatusCode::GONE,
            "MEDIA_TOO_LARGE" => StatusCode::PAYLOAD_TOO_LARGE,
            "MEDIA_TYPE_REFUSED" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "INVALID_IDEMPOTENCY_KEY" => StatusCode::BAD_REQUEST,
            "PROVIDER_UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let problem = Self::new(status, code, message).of_field(&field);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            problem.retry_after(PROVIDER_PAUSE)
        } else {
            problem
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            // Asking again would not help.
            ReadError::Unreadable { .. } => Self::fault(&error),
            ReadError::Forbidden(_)
            | ReadError::StaleRead { .. }
            | ReadError::BadCursor(_)
            | ReadError::AsOfInFuture { .. }
            | ReadError::InstantInFuture { .. }
            | ReadError::Log(_) => Self::unavailable(&error),
        }
    }
}

impl IntoResponse for Problem {
    /// The status alone, with the problem beside it: [`as_problems`] writes it, for it knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes whatever is refused under `/api/v1` as a problem, the framework's own refusals too.
pub(crate) async fn as_problems(request: Request, next: Next) -> Response {
    if !is_under(request.uri().path(), "/api/v1") {
        return next.run(request).await;
    }
    let request_id = text_header(request.headers(), &REQUEST_ID)
        .unwrap_or_default()
        .to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::of_status(status));
    let (mut parts, _) = response.into_parts();
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Response::from_parts(parts, problem.body(&request_id).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_code_in_three_ways_and_names_its_field() {
        let refused = Refused {
            code: "INVALID_AMOUNT",
            field: vec!["payment", "amountMinor"],
            message: "an amount is more than nothing".to_owned(),
        };
        let body = Problem::from(refused).body("a-request");
        assert_eq!(
            body,
            json!({
                "type": "urn:hibachi:problem:invalid-amount", "title": "Invalid amount", "status": 422,
                "detail": "an amount is more than nothing", "code": "INVALID_AMOUNT", "requestId": "a-request",
                "errors": [{
                    "field": "payment.amountCents", "code": "INVALID_AMOUNT",
                    "detail": "an amount is more than nothing",
                }],
            })
        );
    }

    #[test]
    fn what_the_framework_refuses_has_a_code_of_its_own() {
        let code = |status| Problem::of_status(status).code;
        assert_eq!(code(StatusCode::METHOD_NOT_ALLOWED), "METHOD_NOT_ALLOWED");
        assert_eq!(code(StatusCode::GATEWAY_TIMEOUT), "TIMED_OUT");
        assert_eq!(code(StatusCode::IM_A_TEAPOT), "BAD_REQUEST");
        assert_eq!(code(StatusCode::BAD_GATEWAY), "INTERNAL");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_a_fault_and_no_reason_to_come_again() {
        let error = ReadError::Unreadable {
            table: "booking_list",
            reason: "a status that there is not".to_owned(),
        };
        let problem = Problem::from(error);
        assert_eq!(
            (problem.status.as_u16(), problem.code(), problem.retry_after),
            (500, "INTERNAL", None)
        );
        assert!(!problem.detail().contains("booking_list"), "{problem:?}");
    }

    #[test]
    fn pages_for_reviews_find_what_they_have_always_found() {
        let problem = Problem::new(StatusCode::GONE, "LINK_USED", "it is used").of_field(&["token"]);
        let body = problem.with_error().body("");
        assert_eq!(
            body["error"],
            json!({"code": "LINK_USED", "field": ["token"], "message": "it is used"})
        );
        assert_eq!(body["code"], "LINK_USED");
    }
}
