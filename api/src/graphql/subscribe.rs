//! Following: the same checks as before an answer, then one answer after another.

use async_graphql::{Response, ServerError, value};
use futures::stream::{BoxStream, StreamExt};

use super::error::{complete, unread};
use super::live::{Beginning, Seen, Spending};
use super::loaders::Loaders;
use super::{Admitted, Answered, Place, Request, Schema, Session, measure, order};
use crate::throttle::Credential;
use domain::envelope::Position;

/// A subscription that has begun.
pub struct Followed {
    /// Its answers, one after another.
    pub answers: BoxStream<'static, Response>,
    /// How far they have come.
    pub seen: Seen,
}

impl Schema {
    /// Begins a subscription of somebody who is signed in, if they may ask so much now. A client that comes back says after which
    /// position: that goes before what its query says.
    ///
    /// # Errors
    /// Why it does not begin: what any operation is refused for, and one that is no subscription.
    pub async fn subscribe(
        &self,
        request: Request,
        session: Session,
        who: &Credential,
        resumed: Option<Position>,
    ) -> Result<Followed, Box<Answered>> {
        let request_id = session.request_id.clone();
        let admitted = self.admit(request, &session, who, Place::Stream).await?;
        let Admitted {
            mut request,
            document,
            points,
            ..
        } = admitted;
        let refused = |response| Box::new(Answered::refused(response, &request_id));
        let operation = request.operation_name.clone();
        let asked = measure::operation(&document, operation.as_deref());
        if !asked.is_some_and(measure::is_one_field) {
            let message = "a subscription asks exactly one field, and not by a fragment";
            return Err(refused(Response::from_errors(vec![ServerError::new(
                message, None,
            )])));
        }
        if let Some(viewer) = session.viewer() {
            // Before the subscription is said to have begun: what happens from here on is told.
            let head = self.app.log.head(viewer.tenant).await;
            let head = head.map_err(|error| {
                let error = unread(error.into()).into_server_error(async_graphql::Pos::default());
                refused(Response::from_errors(vec![error]))
            })?;
            request = request.data(Beginning {
                resumed,
                end: head.position,
            });
            request = request.data(Loaders::new(&self.app, viewer));
        }
        let seen = Seen::default();
        let spending = Spending {
            throttle: self.app.throttle.clone(),
            clock: self.app.clock.clone(),
            who: who.clone(),
            points,
        };
        let request = request.data(seen.clone()).data(spending).data(session);
        let mut cost = Some(points);
        let answers = self.inner.execute_stream(request).map(move |mut response| {
            order::as_asked(&document, operation.as_deref(), &mut response.data);
            if let Some(points) = cost.take() {
                response = response.extension("cost", value!({ "points": points }));
            }
            complete(response, &request_id)
        });
        Ok(Followed {
            answers: answers.boxed(),
            seen,
        })
    }
}
