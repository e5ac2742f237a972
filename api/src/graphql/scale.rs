//! What an operation costs, before any of it is done: it is checked against the schema and weighed by a twin of the schema that
//! answers nothing. An extension of the schema that answers would be asked again for each field of each answer.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, ValidationResult, async_trait};

use super::limits::{MAX_COMPLEXITY, MAX_ROOTS};
use super::{Inner, measure};

/// What each command costs beside what it answers with: it is checked, appended and followed.
const COMMAND: usize = 10;

/// The most that an operation can cost, in points.
pub(crate) const LARGEST: usize = MAX_COMPLEXITY + MAX_ROOTS * COMMAND;

/// What was weighed.
#[derive(Clone, Default)]
struct Weight(Arc<Mutex<usize>>);

/// The twin's extension.
pub(super) struct Weigh;

impl ExtensionFactory for Weigh {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Weigh {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(ctx).await?;
        let mut weight = ctx
            .data_unchecked::<Weight>()
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *weight = valid.complexity;
        drop(weight);
        Ok(valid)
    }

    async fn execute(
        &self,
        _ctx: &ExtensionContext<'_>,
        _operation: Option<&str>,
        _next: NextExecute<'_>,
    ) -> Response {
        Response::default()
    }
}

/// What an operation costs, in points.
///
/// # Errors
/// An answer that says why it fits neither the schema nor its limits.
pub(super) async fn weigh(
    twin: &Inner,
    request: Request,
    document: &ExecutableDocument,
) -> Result<u32, Box<Response>> {
    let weight = Weight::default();
    let commands = measure::roots_of_kind(document, OperationType::Mutation);
    let response = twin.execute(request.data(weight.clone())).await;
    if !response.errors.is_empty() {
        return Err(Box::new(response));
    }
    let fields = *weight.0.lock().unwrap_or_else(PoisonError::into_inner);
    let points = fields.saturating_add(commands.saturating_mul(COMMAND)).max(1);
    Ok(u32::try_from(points).unwrap_or(u32::MAX))
}
