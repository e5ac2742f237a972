//! From a stream to the state that a decision is taken on.

use domain::decider::{Decider, Event};
use domain::envelope::{StreamId, Version};
use domain::ids::TenantId;
use event_log::Snapshot;
use tracing::Instrument;

use crate::{Caller, CommandError, Commands, remembered};

/// How many events a load folds without a snapshot of its result being kept for the next.
const SNAPSHOT_AFTER: usize = 64;

/// An aggregate as loaded: its state and the version that was read.
#[derive(Clone)]
pub(crate) struct Loaded<D> {
    pub(crate) state: D,
    pub(crate) version: Version,
}

impl<D> Loaded<D> {
    /// Refuses when the client saw another version.
    pub(crate) fn expect(&self, seen: Option<i64>) -> Result<(), CommandError> {
        match seen {
            Some(seen) if seen != self.version.0 => {
                Err(CommandError::VersionConflict { actual: self.version })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Commands {
    /// Loads an aggregate: from memory where a decision may begin with it, else from its stream.
    pub(crate) async fn load<D: Decider>(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Loaded<D>, CommandError> {
        let stream = StreamId::new(D::STREAM, id);
        if remembered::may_remember()
            && let Some(known) = self.remembered.get::<D>(caller.tenant, &stream)
        {
            remembered::note(stream, known.version);
            return Ok(known);
        }
        let loaded = self.load_from_log::<D>(caller, stream.clone()).await?;
        self.remembered.put(caller.tenant, stream, loaded.clone());
        Ok(loaded)
    }

    /// Loads an aggregate from its stream, on top of its snapshot if there is one that fits.
    async fn load_from_log<D: Decider>(
        &self,
        caller: &Caller,
        stream: StreamId,
    ) -> Result<Loaded<D>, CommandError> {
        let mut stored = self
            .log
            .load(caller.tenant, &stream, Some(&domain::SOURCE_HASH))
            .await?;
        let mut loaded = Loaded {
            state: D::default(),
            version: Version(0),
        };
        if let Some(snapshot) = stored.snapshot.take() {
            match serde_json::from_str(&snapshot.state) {
                Ok(state) => {
                    loaded = Loaded {
                        state,
                        version: snapshot.version,
                    };
                }
                Err(error) => {
                    tracing::warn!(tenant = %caller.tenant, %stream, %error, "a snapshot is ignored");
                    stored = self.log.load(caller.tenant, &stream, None).await?;
                }
            }
        }
        for event in &stored.events {
            loaded.state.evolve(&D::Event::decode(
                &event.event_type,
                event.event_version,
                &event.payload,
            )?);
            loaded.version = event.sequence;
        }
        if stored.events.len() > SNAPSHOT_AFTER {
            self.keep_snapshot(caller.tenant, stream, &loaded);
        }
        Ok(loaded)
    }

    /// Keeps a state for the next load, aside from the command, which does not wait for it and does not fail with it.
    fn keep_snapshot<D: Decider>(&self, tenant: TenantId, stream: StreamId, loaded: &Loaded<D>) {
        let log = self.log.clone();
        let (state, version) = (loaded.state.clone(), loaded.version);
        let keep = async move {
            let snapshot = match serde_json::to_string(&state) {
                Ok(state) => Snapshot { version, state },
                Err(error) => {
                    tracing::warn!(%tenant, %stream, %error, "a state cannot be written as a snapshot");
                    return;
                }
            };
            let kept = log.keep_snapshot(tenant, &stream, &domain::SOURCE_HASH, &snapshot);
            if let Err(error) = kept.await {
                tracing::warn!(%tenant, %stream, %error, "no snapshot is kept");
            }
        };
        tokio::spawn(keep.in_current_span());
    }
}
