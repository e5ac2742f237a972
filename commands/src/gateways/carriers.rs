//! Takes messages to customers by the services that this installation was told of, each channel by its own. A channel that no
//! service was named for is not carried.

mod ringcentral;
mod service;
mod smtp;
mod whatsapp;

use std::sync::Arc;

use async_trait::async_trait;
use domain::message::MessageChannel;

use crate::ports::{CarrierError, Letter, MessageCarrier};

pub use ringcentral::{RingCentral, RingCentralSetup};
pub use service::Credential;
pub(in crate::gateways) use service::is_here;
pub use smtp::{Smtp, SmtpSetup};
pub use whatsapp::{Whatsapp, WhatsappSetup};

/// What a service was named by that cannot be used. Nothing of what was given is repeated: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CarrierSetupError(pub(crate) &'static str);

/// The services, none at first.
#[derive(Clone, Default)]
pub struct Carriers(Vec<Arc<dyn MessageCarrier>>);

impl std::fmt::Debug for Carriers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carriers({})", self.0.len())
    }
}

impl Carriers {
    /// With one service more. Of two for one channel the first takes it.
    #[must_use]
    pub fn and(mut self, carrier: Arc<dyn MessageCarrier>) -> Self {
        self.0.push(carrier);
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, channel: MessageChannel) -> Option<&Arc<dyn MessageCarrier>> {
        self.0.iter().find(|carrier| carrier.carries(channel))
    }
}

#[async_trait]
impl MessageCarrier for Carriers {
    fn name(&self, channel: MessageChannel) -> &'static str {
        self.of(channel).map_or("none", |carrier| carrier.name(channel))
    }

    fn carries(&self, channel: MessageChannel) -> bool {
        self.of(channel).is_some()
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        match self.of(letter.channel) {
            Some(carrier) => carrier.carry(letter).await,
            None => Err(CarrierError::Misconfigured),
        }
    }
}

#[cfg(test)]
mod tests;
