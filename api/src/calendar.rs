//! Calendars for other programs: iCalendar (RFC 5545) under a secret address.

mod ics;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use commands::calendar::{CalendarOf, Feed};
use domain::ids::TenantId;
use projections::booking_list::{self, BookingRow};
use uuid::Uuid;

use crate::app::App;

/// Bytes of a tenant's id, with which a token begins.
const TENANT: usize = 16;
/// Random bytes of a token.
const SECRET: usize = 32;
/// Days that a calendar shows of the past.
const PAST_DAYS: i64 = 31;
/// Days ahead that it shows: as far as any station can be booked.
const AHEAD_DAYS: i64 = 1_825;

/// A new token: the company that it belongs to, and 256 random bits.
pub(crate) fn secret_token(tenant: TenantId) -> String {
    let mut bytes = [0; TENANT + SECRET];
    bytes[..TENANT].copy_from_slice(tenant.0.as_bytes());
    getrandom::fill(&mut bytes[TENANT..]).expect("the operating system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The company that a token belongs to, by its own word.
fn tenant_of(token: &str) -> Option<TenantId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    if bytes.len() != TENANT + SECRET {
        return None;
    }
    Uuid::from_slice(&bytes[..TENANT]).ok().map(TenantId)
}

/// `GET /calendar/{token}.ics`: nobody is told whether an address was ever good.
pub(crate) async fn feed(State(app): State<Arc<App>>, Path(file): Path<String>) -> Response {
    match calendar(&app, &file).await {
        Ok(Some(text)) => (
            [
                (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
                (header::CACHE_CONTROL, "private, no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
            ],
            text,
        )
            .into_response(),
        Ok(None) => plain(StatusCode::NOT_FOUND, "there is no such calendar\n"),
        Err(error) => {
            tracing::error!(%error, "a calendar is not answered");
            plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    (status, [(header::CACHE_CONTROL, no_store)], text).into_response()
}

async fn calendar(app: &App, file: &str) -> anyhow::Result<Option<String>> {
    let Some(token) = file.strip_suffix(".ics") else {
        return Ok(None);
    };
    let Some(tenant) = tenant_of(token) else {
        return Ok(None);
    };
    // A tenant that a token made up has no keys and no log.
    let companies = app.database.organisations().await?;
    if !companies.iter().any(|company| company.tenant == tenant) {
        return Ok(None);
    }
    let Some(Feed { of, stations }) = app.commands.calendar_of(tenant, token).await? else {
        return Ok(None);
    };
    let now = app.clock.now();
    let span = (now - Duration::days(PAST_DAYS), now + Duration::days(AHEAD_DAYS));
    let rows: Vec<BookingRow> = match of {
        CalendarOf::Chef(chef) => {
            booking_list::calendar_of_chef(&app.views, tenant, chef, stations.as_deref(), span).await?
        }
        CalendarOf::Station(station) => {
            booking_list::calendar_of_station(&app.views, tenant, station, span).await?
        }
    };
    Ok(Some(ics::calendar(&rows, now)))
}
