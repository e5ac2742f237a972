//! Answering: what was admitted is made, or given again where it was made before and nothing has happened since.

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Pos, Request, Response, value};
use domain::ids::TenantId;
use projections::Settled;

use super::error::{complete, unread};
use super::loaders::Loaders;
use super::remembered::{Data, Question};
use super::session::Beyond;
use super::{Admitted, Answered, Place, Schema, Session, measure, order, same};
use crate::observing::Source;
use crate::throttle::Credential;

/// An operation that is to be answered.
struct Asked {
    request: Request,
    document: ExecutableDocument,
    session: Session,
}

impl Asked {
    /// The company that a question is about, and the question; none for what is no question of somebody who is signed in. The
    /// schema's description is a company's no more than anybody's, and large.
    fn question(&self) -> Option<(TenantId, Question)> {
        let viewer = self.session.viewer()?;
        let operation = measure::operation(&self.document, self.request.operation_name.as_deref())?;
        (operation.ty == OperationType::Query && !measure::introspects(&self.document, operation))
            .then(|| (viewer.tenant, Question::of(viewer, &self.request)))
    }
}

/// An answer that was made.
struct Made {
    response: Response,
    /// Whether it is of read models alone.
    of_read_models: bool,
}

/// What there is to give.
enum Given {
    Response(Response),
    Remembered(Data),
}

impl Schema {
    /// Answers one request of a session, if whoever sends it may ask so much now. Only people who are signed in may read the
    /// schema itself.
    pub async fn execute(&self, request: Request, session: Session, who: &Credential) -> Answered {
        let request_id = session.request_id.clone();
        let admitted = match self.admit(request, &session, who, Place::Answer).await {
            Ok(admitted) => admitted,
            Err(refused) => return *refused,
        };
        let Admitted {
            request,
            document,
            points,
            left,
        } = admitted;
        let asked = Asked {
            request,
            document,
            session,
        };
        let given = match asked.question() {
            Some((tenant, question)) if self.remembered.asked_before(question) => {
                self.answer_again(tenant, question, &asked).await
            }
            Some(_) | None => {
                let Asked {
                    request,
                    document,
                    session,
                } = asked;
                Given::Response(self.make(request, &document, session).await.response)
            }
        };
        let (source, response, data) = match given {
            Given::Response(response) => (Source::Made, response, None),
            Given::Remembered(data) => (Source::Remembered, Response::default(), Some(data)),
        };
        self.app.figures.requests.given(source);
        let response = response.extension("cost", value!({ "points": points }));
        Answered {
            response: complete(response, &request_id),
            data,
            left,
            throttled: None,
        }
    }

    /// The answer to a question that was asked before: as it was where nothing has happened since. Of several who ask at the same
    /// moment the first makes it for all.
    async fn answer_again(&self, tenant: TenantId, question: Question, asked: &Asked) -> Given {
        let make = || {
            let request = same(&asked.request, &asked.document);
            self.make(request, &asked.document, asked.session.clone())
        };
        let moment = match self.app.views.settled(tenant).await {
            Ok(Some(moment)) => moment,
            Ok(None) => return Given::Response(make().await.response),
            // The database is out of reach for the answer as well, after as long a wait again.
            Err(error) => {
                let error = unread(error).into_server_error(Pos::default());
                return Given::Response(Response::from_errors(vec![error]));
            }
        };
        let held = self.remembered.at(question, &moment);
        let mut own = None;
        let made = held.get_or_init(async || {
            let made = make().await;
            let data = self.lasting(question, tenant, &moment, &made).await;
            own = Some(made.response);
            match &data {
                Some(data) => self.remembered.count(question, &held, data.len()),
                // The next who asks tries again.
                None => self.remembered.forget(question, &held),
            }
            data
        });
        let made = made.await;
        match (made, own) {
            (Some(data), None) => Given::Remembered(Data::clone(data)),
            (_, Some(response)) => Given::Response(response),
            // It does not hold for anybody but the one who made it.
            (None, None) => Given::Response(make().await.response),
        }
    }

    /// The data of an answer for as long as a moment lasts: where they are whole, hold nothing but what read models hold, and the
    /// moment lasted while they were read.
    async fn lasting(
        &self,
        question: Question,
        tenant: TenantId,
        moment: &Settled,
        made: &Made,
    ) -> Option<Data> {
        if !made.of_read_models {
            self.remembered.each_anew(question);
            return None;
        }
        // What was wrong may be right a moment later.
        if !made.response.errors.is_empty() {
            return None;
        }
        match self.app.views.settled(tenant).await {
            Ok(Some(now)) if now == *moment => {}
            Ok(_) => return None,
            Err(error) => {
                tracing::debug!(%error, "an answer is not remembered");
                return None;
            }
        }
        let data = serde_json::to_string(&made.response.data).expect("an answer has a JSON form");
        if self.remembered.has_room(data.len()) {
            Some(data.into())
        } else {
            self.remembered.each_anew(question);
            None
        }
    }

    /// Makes an answer.
    async fn make(&self, mut request: Request, document: &ExecutableDocument, session: Session) -> Made {
        if let Some(viewer) = session.viewer() {
            request = request.data(Loaders::new(&self.app, viewer));
        }
        let beyond = Beyond::default();
        let operation = request.operation_name.clone();
        let request = request.data(beyond.clone()).data(session);
        let mut response = self.inner.execute(request).await;
        order::as_asked(document, operation.as_deref(), &mut response.data);
        Made {
            response,
            of_read_models: !beyond.was_looked_at(),
        }
    }
}
