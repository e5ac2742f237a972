//! Invoices and receipts of the last parties, so that there are documents to look at.

use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use commands::document::{DocumentAsk, MoneySeen};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{BookingId, UserId};
use domain::payment::BookingMoney;
use projections::{At, booking_list};

use super::before;
use super::bookings::Play;
use super::year::Story;
use crate::app::App;

/// Days before the last party that documents go back to.
const DAYS: i64 = 60;
/// Bookings that one question asks for.
const AT_ONCE: usize = 100;

/// Issues an invoice and the receipts of each party of the last days, an hour after it was settled. Documents that were
/// issued before are left as they are.
pub(super) async fn issue(app: &App, play: &Play, stories: &[Story]) -> Result<()> {
    let mut settled: Vec<(DateTime<Utc>, usize, BookingId)> = play
        .booked
        .iter()
        .enumerate()
        .filter_map(|(index, booked)| Some((booked.settled_at?, index, booked.id?)))
        .collect();
    settled.sort_unstable_by_key(|(at, index, _)| (*at, *index));
    let Some((last, ..)) = settled.last().copied() else {
        return Ok(());
    };
    settled.retain(|(at, ..)| *at > last - Duration::days(DAYS));
    app.views.catch_up(play.caller.tenant).await?;
    for settled in settled.chunks(AT_ONCE) {
        let ids: Vec<BookingId> = settled.iter().map(|(.., id)| *id).collect();
        let viewer = Viewer {
            tenant: play.caller.tenant,
            user: UserId(uuid::Uuid::nil()),
            role: Role::Auditor,
            stations: StationScope::All,
            through: None,
        };
        let found = booking_list::many(&app.views, &viewer, &ids, At::NOW).await?;
        for (at, index, id) in settled {
            let row = found.value.iter().find(|row| row.booking_id == *id);
            let row = row.context("a booking that was made is listed")?;
            let seen = MoneySeen {
                as_of: found.info.position,
                money: BookingMoney {
                    paid_cents: row.paid_cents,
                    tip_cents: row.tip_cents,
                    refunded_cents: row.refunded_cents,
                    waived_cents: row.waived_cents,
                },
            };
            play.clock.set(*at + Duration::hours(1));
            let receipts = play.booked[*index]
                .paid
                .iter()
                .map(|id| DocumentAsk::Receipt(*id));
            for (number, ask) in std::iter::once(DocumentAsk::Invoice(*id))
                .chain(receipts)
                .enumerate()
            {
                let key = before::key(&play.prefix, &stories[*index], &format!("document {number}"));
                play.commands
                    .issue_document(play.caller.clone(), key, ask, seen)
                    .await?;
            }
        }
    }
    Ok(())
}
