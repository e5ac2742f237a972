//! Two bookings that the tour shows.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use commands::gateways::SimulatedClock;
use commands::{Caller, Commands, Correspondence};
use domain::booking::Booking;
use domain::decider::Decider;
use domain::ids::{BookingId, StationId};
use event_log::Vault;

use super::bookings::{Booked, Play, Step, happened};
use super::company::newest_slot_before;
use super::steps::input;
use super::year::{Fate, Story, Tip};

/// Two bookings that the tour shows: one of exactly 851.18 that was held in a county at 9.125 %, and one whose
/// event has just begun and that waits to be completed.
pub(super) async fn tour_bookings(
    vault: &Arc<Vault>,
    commands: &Commands,
    clock: &Arc<SimulatedClock>,
    caller: &Caller,
    station: StationId,
    now: DateTime<Utc>,
) -> Result<()> {
    let held = "2026-03-14T18:00:00".parse().context("a local time")?;
    let begun = newest_slot_before(now);
    let commands = commands.with_correspondence(Correspondence::Paused);
    let mut play = Play::new(
        vault.clone(),
        commands.clone(),
        clock.clone(),
        (caller.clone(), "tour".to_owned()),
        1,
    );
    for (number, start) in [(1, held), (2, begun)] {
        let story = Story::of_tour(number, start);
        clock.set(story.asked_at);
        let mut input = input(&story, start);
        input.station = Some(station);
        let key = play.key(&story, "request");
        let Some(written) = happened(commands.request_booking(caller.clone(), key, input).await)? else {
            continue;
        };
        let id: BookingId = written.id_of(Booking::STREAM).parse()?;
        play.booked[0] = Booked {
            id: Some(id),
            ..Booked::default()
        };
        play.step(&story, 0, Step::Deposit).await?;
        let start_utc = play.booking(id).await?.start.utc;
        clock.set(start_utc - Duration::days(5));
        play.step(&story, 0, Step::Assign).await?;
        if start_utc + Duration::hours(3) < now && start == held {
            clock.set(start_utc + Duration::hours(3));
            play.step(&story, 0, Step::Balance).await?;
            play.step(&story, 0, Step::Complete).await?;
        }
    }
    clock.set(now);
    commands.react(caller.tenant).await?;
    Ok(())
}

impl Story {
    /// Twelve adults and four children in Milpitas, who pay by Zelle.
    fn of_tour(number: u32, start: NaiveDateTime) -> Self {
        Self {
            number,
            start,
            asked_at: start.and_utc() - Duration::days(30),
            adults: 12,
            children: 4,
            under6: 0,
            add_ons: vec![("sauce", 2)],
            place: &super::year::MILPITAS,
            customer: 1_000_000 + number,
            source: "website",
            promo: None,
            fate: Fate::Held,
            change: None,
            after: None,
            deposit_by: domain::payment::PaymentMethod::Zelle,
            balance_by: domain::payment::PaymentMethod::Zelle,
            tip: Tip(0),
        }
    }
}
