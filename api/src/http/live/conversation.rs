//! A socket of somebody who is recognised: what they say, and what their subscriptions have to say.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{Request, ServerError};
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, interval, timeout};
use tracing::Instrument;

use super::super::Server;
use super::message::{Closed, Said, Says};
use super::operation::{Operation, Part};
use super::socket::{End, Gone, heard};
use super::standing::Standing;
use super::{Ended, FAREWELL, refused};
use crate::graphql::Session;
use crate::live::Place;
use crate::observing::Way;
use crate::throttle::Credential;

/// A subscription that is open.
struct Open {
    /// Which of this name: a client may use one again.
    number: u64,
    task: AbortHandle,
    /// Given back at once when it is over.
    _place: Place,
}

/// A socket of somebody who is recognised.
pub(super) struct Conversation<'a> {
    server: &'a Server,
    socket: &'a mut WebSocket,
    standing: &'a Standing,
    session: Session,
    who: Credential,
    /// Its subscriptions, by the client's names for them.
    open: HashMap<Arc<str>, Open>,
    /// All of them end with it.
    tasks: JoinSet<()>,
    /// Where they put what they have to say.
    parts: mpsc::Sender<Part>,
    /// How many there were.
    begun: u64,
}

impl<'a> Conversation<'a> {
    /// A socket on which nothing was said yet.
    pub(super) fn new(
        server: &'a Server,
        socket: &'a mut WebSocket,
        standing: &'a Standing,
        session: Session,
        who: Credential,
    ) -> (Self, mpsc::Receiver<Part>) {
        let (parts, spoken) = mpsc::channel(1);
        let conversation = Self {
            server,
            socket,
            standing,
            session,
            who,
            open: HashMap::new(),
            tasks: JoinSet::new(),
            parts,
            begun: 0,
        };
        (conversation, spoken)
    }

    /// Says and hears what there is, until it ends.
    pub(super) async fn held(
        mut self,
        mut spoken: mpsc::Receiver<Part>,
        mut ended: Pin<&mut impl Future<Output = Ended>>,
    ) -> End {
        match self.exchange(&mut spoken, ended.as_mut()).await {
            Ok(Closed::Ended(why)) => {
                self.tasks.abort_all();
                self.tell_why(why).await?;
                Ok(Closed::Ended(why))
            }
            end => end,
        }
    }

    /// Says why to each subscription, where it is about them and not about the server.
    async fn tell_why(&mut self, why: Ended) -> Result<(), Gone> {
        if why == Ended::GoingDown {
            return Ok(());
        }
        let errors = why.response(&self.session.request_id).errors;
        let open: Vec<Arc<str>> = self.open.drain().map(|(id, _)| id).collect();
        for id in open {
            let says = Says::Error {
                id: &id,
                payload: &errors,
            };
            let sent = timeout(FAREWELL, self.socket.send(says.message())).await;
            sent.map_err(|_| Gone)?.map_err(|_| Gone)?;
        }
        Ok(())
    }

    async fn exchange(
        &mut self,
        spoken: &mut mpsc::Receiver<Part>,
        mut ended: Pin<&mut impl Future<Output = Ended>>,
    ) -> End {
        let settings = self.server.app.live.settings().clone();
        let mut ticks = interval(settings.keep_alive);
        let mut heard_at = Instant::now();
        let mut says = Some(Says::ConnectionAck.message());
        loop {
            if let Some(message) = says.take() {
                let sent = tokio::select! {
                    biased;
                    ended = &mut ended => return Ok(Closed::Ended(ended)),
                    sent = timeout(settings.patience, self.socket.send(message)) => sent,
                };
                // Who takes nothing for so long has gone as well.
                sent.map_err(|_| Gone)?.map_err(|_| Gone)?;
                continue;
            }
            tokio::select! {
                biased;
                ended = &mut ended => return Ok(Closed::Ended(ended)),
                _ = ticks.tick() => {
                    if heard_at.elapsed() > settings.patience {
                        return Err(Gone);
                    }
                    says = Some(Message::Ping(Bytes::new()));
                }
                frame = self.socket.recv() => {
                    heard_at = Instant::now();
                    match heard(frame) {
                        Ok(Some(said)) => match self.answered(said).await {
                            Ok(answer) => says = answer,
                            Err(closed) => return Ok(closed),
                        },
                        Ok(None) => {}
                        Err(end) => return end,
                    }
                }
                Some(part) = spoken.recv() => says = self.passed_on(part),
            }
        }
    }

    /// What a subscription has to say, if the client still wants it.
    fn passed_on(&mut self, part: Part) -> Option<Message> {
        let wanted = self
            .open
            .get(&part.id)
            .is_some_and(|open| open.number == part.number);
        if wanted && part.is_last {
            self.open.remove(&part.id);
            while self.tasks.try_join_next().is_some() {}
        }
        wanted.then_some(part.message)
    }

    /// What is answered at once.
    async fn answered(&mut self, said: Said) -> Result<Option<Message>, Closed> {
        match said {
            Said::ConnectionInit { .. } => Err(Closed::TooManyInits),
            Said::Ping { payload } => Ok(Some(Says::Pong { payload }.message())),
            Said::Pong {} => Ok(None),
            Said::Complete { id } => {
                // One that is over already is none.
                if let Some(open) = self.open.remove(id.as_str()) {
                    open.task.abort();
                    while self.tasks.try_join_next().is_some() {}
                }
                Ok(None)
            }
            Said::Subscribe { id, payload } => self.subscribed(id, *payload).await,
        }
    }

    async fn subscribed(&mut self, id: String, request: Request) -> Result<Option<Message>, Closed> {
        if self.open.contains_key(id.as_str()) {
            return Err(Closed::SubscriberExists(id));
        }
        self.standing.still().await.map_err(Closed::Ended)?;
        let app = &self.server.app;
        let errors = |payload: &[ServerError]| {
            let says = Says::Error { id: &id, payload };
            Ok(Some(says.message()))
        };
        let place = match app.live.subscription(&self.who) {
            Ok(place) => place,
            Err(too_many) => {
                app.figures.followers.refused();
                return errors(&Ended::from(too_many).response(&self.session.request_id).errors);
            }
        };
        let schema = &self.server.schema;
        let followed = match schema
            .subscribe(request, self.session.clone(), &self.who, None)
            .await
        {
            Ok(followed) => followed,
            Err(answered) => return errors(&refused(*answered, &self.session.request_id)),
        };
        self.begun += 1;
        let operation = Operation {
            id: Arc::from(id),
            number: self.begun,
            followed,
            following: app.figures.followers.opened(Way::Socket),
        };
        let (id, number) = (operation.id.clone(), operation.number);
        let task = operation
            .relay(self.parts.clone())
            .instrument(tracing::Span::current());
        let task = self.tasks.spawn(task);
        let open = Open {
            number,
            task,
            _place: place,
        };
        self.open.insert(id, open);
        Ok(None)
    }
}
