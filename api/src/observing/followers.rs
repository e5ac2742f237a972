//! Who follows what happens, and what they are told.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Transport = [(&'static str, &'static str); 1];

/// How somebody follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Over a WebSocket.
    Socket,
    /// By server-sent events.
    Events,
}

impl Way {
    fn label(self) -> Transport {
        let word = match self {
            Self::Socket => "websocket",
            Self::Events => "sse",
        };
        [("transport", word)]
    }
}

/// What is counted of subscriptions. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Followers {
    open: Family<Transport, Gauge>,
    sent: Family<Transport, Counter>,
    refused: Counter,
    ended: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Followers {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hibachi_subscriptions",
            "Subscriptions that are open, by transport",
            self.open.clone(),
        );
        registry.register(
            "hibachi_subscription_events",
            "Events that were sent to subscriptions, by transport",
            self.sent.clone(),
        );
        registry.register(
            "hibachi_subscriptions_refused",
            "Subscriptions and sockets that were refused, for there were too many",
            self.refused.clone(),
        );
        registry.register(
            "hibachi_subscriptions_ended",
            "Streams that the server has ended, by the code that they were told",
            self.ended.clone(),
        );
    }

    /// A subscription is open until what this gives is dropped.
    pub(crate) fn opened(&self, way: Way) -> Following {
        let open = self.open.get_or_create(&way.label()).clone();
        open.inc();
        Following {
            open,
            sent: self.sent.get_or_create(&way.label()).clone(),
        }
    }

    /// One was refused, for there were too many.
    pub(crate) fn refused(&self) {
        self.refused.inc();
    }

    /// The server has ended a stream.
    pub(crate) fn ended(&self, code: &'static str) {
        self.ended.get_or_create(&[("code", code)]).inc();
    }
}

/// A subscription while it is open.
#[derive(Debug)]
pub(crate) struct Following {
    open: Gauge,
    sent: Counter,
}

impl Following {
    /// It was sent an event.
    pub(crate) fn sent(&self) {
        self.sent.inc();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.open.dec();
    }
}
