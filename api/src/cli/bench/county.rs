//! What is written to streams that exist: a county's tax rates, set by the command that our users give.

use std::sync::Arc;

use anyhow::{Result, bail};
use chrono::NaiveDate;
use commands::{Caller, CommandError, IdempotencyKey};
use domain::decider::{Decider, Event};
use domain::envelope::{Expectation, NewEvent, StreamId};
use domain::ids::{CommandId, EventId};
use domain::money::RatePpm;
use domain::tax_rate::{CountyRates, Jurisdiction, TaxRateEvent, TaxRateSet};
use event_log::{Append, Outcome, StreamWrite};
use futures::{StreamExt, TryStreamExt};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::ours::{Ours, meta};
use super::tab::filler;
use super::work::{Done, Miss, Work};
use super::world::Streams;

const STATE: &str = "CA";
/// Counties in one append that fills the log.
const FILL: usize = 50;
/// Appends that fill the log at the same time.
const APPENDS: usize = 8;
/// Commands that make counties known at the same time: fewer than the program has connections.
const COMMANDS: usize = 16;
/// The order in which counties are taken: the same in every run, and not that in which they were written.
const SEED: u64 = 20;

/// Id of the stream of a county, which is named by its id.
pub(super) fn stream_key(county: Uuid) -> String {
    CountyRates::stream_key(STATE, &county.to_string())
}

/// The rate of one city of a county, the first city being number 1. No two cities have two rates, so none is refused.
pub(super) fn rate(county: Uuid, city: u64) -> TaxRateSet {
    /// The rest of the payload; an id has 36 characters.
    const REST: usize = concat!(
        r#"{"jurisdiction":{"state":"CA","county":"","city":"City 0000001"},"rate_ppm":92500,"#,
        r#""effective_from":"2025-01-01","effective_until":null,"source":""}"#,
    )
    .len()
        + 36;
    TaxRateSet {
        jurisdiction: Jurisdiction {
            state: STATE.to_owned(),
            county: county.to_string(),
            city: Some(format!("City {city:07}")),
        },
        rate_ppm: RatePpm(92_500),
        effective_from: NaiveDate::from_ymd_opt(2025, 1, 1).expect("it is a day"),
        effective_until: None,
        source: filler(REST),
        before_ppm: None,
        correction: None,
        zips: Vec::new(),
    }
}

/// Whether new counties are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The last city of each was set by a command.
    Yes,
    /// No command has met them.
    No,
}

impl Ours {
    /// Sets the rate of one more city: a whole command.
    pub(super) async fn set_rate(&self, county: Uuid, city: u64) -> Result<(), Miss> {
        let caller = Caller::system(self.tenant, "bench");
        let key = IdempotencyKey::from_client(&self.ids.next().to_string())?;
        match self.commands.set_tax_rate(caller, key, rate(county, city)).await {
            Ok(written) if written.replayed => Err(Miss::Failed(anyhow::anyhow!(
                "a new command came to an earlier one's result"
            ))),
            Ok(_) => Ok(()),
            Err(CommandError::Conflict) => Err(Miss::Conflict),
            Err(failed) => Err(failed.into()),
        }
    }

    /// Writes counties of so many cities each, and gives them in the order in which they are to be taken.
    pub(super) async fn fill_counties(
        &self,
        counties: u64,
        cities: u32,
        known: Known,
    ) -> Result<Arc<[Uuid]>> {
        let mut ids: Vec<Uuid> = (0..counties).map(|_| self.ids.next()).collect();
        let last = u64::from(cities);
        let written = match known {
            Known::Yes => last - 1,
            Known::No => last,
        };
        futures::stream::iter(ids.chunks(FILL).map(Ok))
            .try_for_each_concurrent(APPENDS, |some| self.write_counties(some, written))
            .await?;
        ids.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
        if known == Known::Yes {
            let mut commands = futures::stream::iter(&ids)
                .map(|county| self.set_rate(*county, last))
                .buffer_unordered(COMMANDS);
            while let Some(came_to) = commands.next().await {
                match came_to {
                    Ok(()) => {}
                    Err(Miss::Failed(error)) => return Err(error),
                    Err(Miss::Conflict) => bail!("somebody else writes to a new county"),
                }
            }
        }
        Ok(ids.into())
    }

    /// Writes new counties past the commands, all in one append: what this program has not decided it does not remember.
    async fn write_counties(&self, counties: &[Uuid], cities: u64) -> Result<()> {
        let new_event = |event: TaxRateEvent| NewEvent {
            event_id: EventId(self.ids.next()),
            event_type: event.name(),
            event_version: event.version(),
            payload: event.payload(),
            claims: event.claims(),
        };
        let write = |county: &Uuid| StreamWrite {
            stream: StreamId::new(CountyRates::STREAM, stream_key(*county)),
            expected: Expectation::NoStream,
            events: (1..=cities)
                .map(|city| new_event(TaxRateEvent::Set(rate(*county, city))))
                .collect(),
        };
        let command = self.ids.next();
        let append = Append {
            tenant: self.tenant,
            command_id: CommandId(command),
            digest: [7; 32],
            streams: counties.iter().map(write).collect(),
            reads: Vec::new(),
            erases: Vec::new(),
            meta: meta(self.tenant, command),
        };
        match self.log.append(append).await? {
            Outcome::Appended(_) => Ok(()),
            outcome @ (Outcome::Conflict { .. }
            | Outcome::Replayed(_)
            | Outcome::ClaimRefused { .. }
            | Outcome::IdempotencyMismatch) => bail!("an append came to {outcome:?}"),
        }
    }
}

/// One more city of a county that is there.
#[derive(Clone)]
pub(super) struct Existing(pub(super) Ours, pub(super) Streams);

impl Work for Existing {
    async fn once(&self) -> Result<Done, Miss> {
        let (county, cities) = self.1.next_with_length();
        self.0.set_rate(county, cities + 1).await?;
        Ok(Done {
            events: 1,
            loaded: cities,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tab::PAYLOAD;
    use super::*;

    #[test]
    fn a_city_is_as_large_as_every_other_event() {
        for city in [1, 21, 9_999_999] {
            let event = TaxRateEvent::Set(rate(Uuid::from_u128(u128::from(city)), city));
            assert_eq!(event.payload().len(), PAYLOAD);
        }
    }

    #[test]
    fn one_more_city_is_one_event_that_is_never_refused() {
        let county = Uuid::from_u128(7);
        let mut rates = CountyRates::default();
        for city in 1..=40 {
            let set = domain::tax_rate::TaxRateCommand::Set(rate(county, city));
            let decided = rates.decide(set).unwrap();
            assert_eq!(decided, [TaxRateEvent::Set(rate(county, city))]);
            rates.evolve(&decided[0]);
        }
        assert_eq!(stream_key(county), format!("CA/{county}"));
    }
}
