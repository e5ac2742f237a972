//! A client of graphql-transport-ws.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tests::http::{Client, Server};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PATIENCE;

/// A socket.
pub(super) struct Socket(pub(super) WebSocketStream<TcpStream>);

/// What comes over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A message of the protocol.
    Said(Value),
    /// It was closed.
    Closed(u16, String),
}

/// The request that opens a socket.
pub(super) fn request(address: std::net::SocketAddr, protocol: Option<&'static str>) -> Request {
    let url = format!("ws://{address}/graphql/live");
    let mut request = url.into_client_request().expect("it is an address");
    if let Some(protocol) = protocol {
        let protocol = protocol.parse().expect("it is a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
    }
    request
}

impl Socket {
    pub(super) async fn opened(request: Request) -> Result<Self, Error> {
        let address = request.uri().authority().expect("it has one").to_string();
        let stream = TcpStream::connect(address).await.expect("the program listens");
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Self(socket))
    }

    /// A socket of nobody yet.
    pub(super) async fn strange(server: &Server) -> Self {
        Self::strange_at(server.address()).await
    }

    pub(super) async fn strange_at(address: std::net::SocketAddr) -> Self {
        let opened = Self::opened(request(address, Some("graphql-transport-ws"))).await;
        opened.expect("the program takes a socket")
    }

    /// A socket of somebody who has signed in.
    pub(super) async fn of(server: &Server, client: &Client) -> Self {
        let mut socket = Self::strange(server).await;
        socket.introduce(client).await;
        assert_eq!(
            socket.heard().await,
            Heard::Said(json!({"type": "connection_ack"}))
        );
        socket
    }

    pub(super) async fn introduce(&mut self, client: &Client) {
        let token = client.token.as_ref().expect("they are signed in");
        let payload = json!({"authorization": format!("Bearer {token}")});
        self.say(&json!({"type": "connection_init", "payload": payload}))
            .await;
    }

    pub(super) async fn say(&mut self, message: &Value) {
        self.write(Message::text(message.to_string())).await;
    }

    pub(super) async fn write(&mut self, message: Message) {
        self.0.send(message).await.expect("the socket takes what is said");
    }

    pub(super) async fn follow(&mut self, id: &str, query: &str, variables: &Value) {
        let payload = json!({"query": query, "variables": variables});
        self.say(&json!({"type": "subscribe", "id": id, "payload": payload}))
            .await;
    }

    /// What comes next.
    pub(super) async fn heard(&mut self) -> Heard {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Heard::Said(serde_json::from_str(&text).expect("messages are JSON"));
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Heard::Closed(frame.code.into(), frame.reason.to_string());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("the socket is to be closed with a code, and not by {other:?}"),
                }
            }
        };
        timeout(PATIENCE, next).await.expect("something comes in time")
    }

    /// The next message.
    pub(super) async fn said(&mut self) -> Value {
        match self.heard().await {
            Heard::Said(said) => said,
            Heard::Closed(code, reason) => panic!("it was closed: {code} {reason}"),
        }
    }

    /// The next answer to a subscription.
    pub(super) async fn answer(&mut self, id: &str) -> Value {
        let mut said = self.said().await;
        assert_eq!(
            (&said["type"], &said["id"]),
            (&json!("next"), &json!(id)),
            "{said}"
        );
        said["payload"].take()
    }

    /// The next change that a subscription tells of.
    pub(super) async fn change(&mut self, id: &str) -> Value {
        super::change(&self.answer(id).await)
    }

    /// The code with which the next subscription is refused.
    pub(super) async fn refused(&mut self, id: &str, query: &str, variables: &Value) -> String {
        self.follow(id, query, variables).await;
        let said = self.said().await;
        assert_eq!(
            (&said["type"], &said["id"]),
            (&json!("error"), &json!(id)),
            "{said}"
        );
        super::code(&json!({"errors": said["payload"]})).to_owned()
    }

    /// Waits until all that was said is done, while nothing else comes.
    pub(super) async fn settled(&mut self) {
        self.say(&json!({"type": "ping", "payload": {"are": "you there"}}))
            .await;
        let pong = json!({"type": "pong", "payload": {"are": "you there"}});
        assert_eq!(self.said().await, pong);
    }
}
