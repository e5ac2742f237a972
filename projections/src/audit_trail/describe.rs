//! Events in plain sentences, without personal data.

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::access::StationScope;
use domain::booking::{
    BookingCancelled, BookingCompleted, BookingEvent, BookingRequested, CancelledBy, RefundRule,
};
use domain::chef::ChefEvent;
use domain::customer::CustomerEvent;
use domain::lead::LeadEvent;
use domain::money::{Cents, RatePpm};
use domain::organisation::OrganisationEvent;
use domain::payment::{PaymentClaimed, PaymentEvent};
use domain::price_list::{BelowMinimum, DepositBack, PriceListEvent};
use domain::recorded::DomainEvent;
use domain::station::StationEvent;
use domain::tax_rate::{Jurisdiction, TaxRateEvent};
use domain::user::UserEvent;

use super::FieldChange;

/// What an entry of the trail says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) summary: String,
    pub(super) reason: Option<String>,
    pub(super) changes: Vec<FieldChange>,
    /// Whether the event holds personal fields, which are left out.
    pub(super) redacted: bool,
}

impl Description {
    fn of(summary: String) -> Self {
        Self {
            summary,
            reason: None,
            changes: Vec::new(),
            redacted: false,
        }
    }

    fn because(self, reason: Option<&String>) -> Self {
        Self {
            reason: reason.cloned(),
            ..self
        }
    }

    fn redacted(self) -> Self {
        Self {
            redacted: true,
            ..self
        }
    }

    fn set(self, path: &str, after: impl ToString) -> Self {
        self.change(path, None, Some(after.to_string()))
    }

    fn changed(self, path: &str, before: impl ToString, after: impl ToString) -> Self {
        self.change(path, Some(before.to_string()), Some(after.to_string()))
    }

    fn change(mut self, path: &str, before: Option<String>, after: Option<String>) -> Self {
        self.changes.push(FieldChange {
            path: path.to_owned(),
            before,
            after,
        });
        self
    }
}

/// Says what happened.
pub(super) fn describe(event: &DomainEvent) -> Description {
    match event {
        DomainEvent::Organisation(OrganisationEvent::Created(created)) => {
            Description::of(format!("Organisation {} created", created.name))
                .set("name", &created.name)
                .set("slug", &created.slug)
        }
        DomainEvent::Organisation(OrganisationEvent::StationAdded(added)) => {
            Description::of(format!("A station at {} added to the organisation", added.zip))
                .set("stations", added.station_id)
        }
        DomainEvent::Station(station) => describe_station(station),
        DomainEvent::Chef(ChefEvent::Registered(_)) => {
            Description::of("Chef registered".to_owned()).redacted()
        }
        DomainEvent::User(UserEvent::Created(created)) => {
            let stations = match &created.stations {
                StationScope::All => "all stations".to_owned(),
                StationScope::Only(stations) => format!("{} stations", stations.len()),
            };
            let role = created.role.as_str();
            Description::of(format!("User created with the role {role} for {stations}"))
                .set("role", role)
                .set("stations", stations)
                .redacted()
        }
        DomainEvent::Customer(CustomerEvent::Registered(_)) => {
            Description::of("Customer registered".to_owned()).redacted()
        }
        DomainEvent::Customer(CustomerEvent::Erased(erased)) => Description::of(format!(
            "Customer erased; {} keys destroyed",
            erased.destroyed.len()
        ))
        .because(Some(&erased.reason))
        .set("erased", true),
        DomainEvent::Booking(booking) => describe_booking(booking),
        DomainEvent::Payment(payment) => describe_payment(payment),
        DomainEvent::PriceList(prices) => describe_prices(prices),
        DomainEvent::TaxRate(rate) => describe_rate(rate),
        DomainEvent::Lead(LeadEvent::Captured(lead)) => Description::of(format!(
            "Lead captured for {} guests at {} on {}: {}",
            lead.guests.total(),
            lead.zip,
            minute(lead.wanted_start),
            lead.failure
        ))
        .set("status", "new")
        .set("failure", &lead.failure)
        .redacted(),
    }
}

fn minute(local: NaiveDateTime) -> impl std::fmt::Display {
    local.format("%Y-%m-%d %H:%M")
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn describe_station(event: &StationEvent) -> Description {
    match event {
        StationEvent::Created(created) => Description::of(format!(
            "Station {} opened at {} {}, zone {}",
            created.name, created.state, created.zip, created.zone
        ))
        .set("name", &created.name)
        .set("zone", created.zone)
        .set("zip", &created.zip),
        StationEvent::ChefJoined(joined) => {
            Description::of("A chef joined the station".to_owned()).set("chefs", joined.chef_id)
        }
    }
}

fn describe_booking(event: &BookingEvent) -> Description {
    match event {
        BookingEvent::Requested(requested) => describe_request(requested),
        BookingEvent::Confirmed(confirmed) => Description::of(format!(
            "Booking confirmed with {} captured",
            confirmed.captured_cents
        ))
        .changed("status", "requested", "confirmed"),
        BookingEvent::Completed(completed) => describe_completion(completed),
        BookingEvent::Cancelled(cancelled) => describe_cancellation(cancelled),
        BookingEvent::Expired(expired) => Description::of(format!(
            "Booking expired: the deposit was due at {}",
            instant(expired.due_at)
        ))
        .changed("status", "requested", "expired"),
    }
}

fn describe_request(requested: &BookingRequested) -> Description {
    Description::of(format!(
        "Booking {} requested for {} guests at {} {} on {}, total {}",
        requested.number,
        requested.guests.total(),
        requested.venue.city,
        requested.venue.zip,
        minute(requested.start.local),
        requested.quote.total_cents
    ))
    .set("status", "requested")
    .set("start", instant(requested.start.utc))
    .set("guests", requested.guests.total())
    .set("total", requested.quote.total_cents)
    .set("deposit", requested.quote.deposit_cents)
    .set("deposit_due_at", instant(requested.deposit_due_at))
    .redacted()
}

fn describe_completion(completed: &BookingCompleted) -> Description {
    let described = Description::of(format!(
        "Booking {} held on {} for {} guests, total {}",
        completed.number,
        completed.event_on,
        completed.guests.total(),
        completed.gross_cents
    ))
    .because(completed.note.as_ref())
    .changed("status", "confirmed", "completed");
    match completed.tax {
        None => described,
        Some(held) => described
            .set("tax.rate", held.rate_ppm)
            .set("tax.amount", held.tax_cents),
    }
}

fn describe_cancellation(cancelled: &BookingCancelled) -> Description {
    let by = match cancelled.by {
        CancelledBy::Customer => "the customer",
        CancelledBy::Company => "the company",
    };
    Description::of(format!(
        "Booking cancelled by {by}, {} hours before its start",
        cancelled.hours_before
    ))
    .because(Some(&cancelled.reason))
    .set("status", "cancelled")
    .set("refund", refund(&cancelled.refund))
}

fn refund(rule: &RefundRule) -> String {
    match rule {
        RefundRule::Everything => "everything".to_owned(),
        RefundRule::Nothing => "nothing".to_owned(),
        RefundRule::Tier(tier) => {
            let deposit = match tier.deposit_back {
                DepositBack::Kept => "kept",
                DepositBack::Returned => "returned",
            };
            format!(
                "{} of the balance, deposit {deposit}: the tier from {} hours before",
                percent(tier.refund_ppm),
                tier.hours_before
            )
        }
    }
}

fn money(amount: Cents, tip: Cents) -> String {
    if tip.is_zero() {
        amount.to_string()
    } else {
        format!("{amount} and a tip of {tip}")
    }
}

fn describe_payment(event: &PaymentEvent) -> Description {
    match event {
        PaymentEvent::Claimed(claimed) => describe_claim(claimed),
        PaymentEvent::Verified(verified) => Description::of(format!(
            "Payment of {} by {} for booking {} verified",
            money(verified.amount_cents, verified.tip_cents),
            verified.method.as_str(),
            verified.booking.number
        ))
        .because(verified.note.as_ref())
        .changed("status", "claimed", "verified"),
        PaymentEvent::Rejected(rejected) => Description::of(format!(
            "Payment for booking {} rejected",
            rejected.booking.number
        ))
        .because(rejected.note.as_ref())
        .changed("status", "claimed", "rejected"),
    }
}

fn describe_claim(claimed: &PaymentClaimed) -> Description {
    Description::of(format!(
        "Payment of {} by {} for booking {} recorded ({})",
        money(claimed.amount_cents, claimed.tip_cents),
        claimed.method.as_str(),
        claimed.booking.number,
        claimed.kind.as_str()
    ))
    .set("status", "claimed")
    .set("amount", claimed.amount_cents)
    .set("tip", claimed.tip_cents)
}

fn describe_prices(event: &PriceListEvent) -> Description {
    match event {
        PriceListEvent::ItemAdded(added) => Description::of(format!(
            "{} added to the price list at {}",
            added.label, added.price_cents
        ))
        .set(&format!("{}.price", added.item), added.price_cents)
        .set(
            &format!("{}.effective_from", added.item),
            instant(added.effective_from),
        ),
        PriceListEvent::PriceChanged(changed) => Description::of(format!(
            "Price of {} changed from {} to {} as of {}",
            changed.item,
            changed.old_cents,
            changed.new_cents,
            instant(changed.effective_from)
        ))
        .because(Some(&changed.reason))
        .changed(
            &format!("{}.price", changed.item),
            changed.old_cents,
            changed.new_cents,
        ),
        PriceListEvent::ItemRetired(retired) => Description::of(format!(
            "{} taken off the price list as of {}",
            retired.item,
            instant(retired.effective_from)
        ))
        .because(Some(&retired.reason))
        .set(
            &format!("{}.retired_from", retired.item),
            instant(retired.effective_from),
        ),
        PriceListEvent::TravelBandSet(band) => Description::of(format!(
            "Travel set to {} a mile beyond {} miles, {} miles at most",
            band.per_mile_cents, band.free_miles, band.max_miles
        ))
        .set("travel.free_miles", band.free_miles)
        .set("travel.per_mile", band.per_mile_cents)
        .set("travel.max_miles", band.max_miles),
        PriceListEvent::MinimumSet(minimum) => {
            let below = match minimum.below {
                BelowMinimum::TopUp => "smaller parties are topped up",
                BelowMinimum::Refuse => "smaller parties are refused",
            };
            Description::of(format!(
                "Minimum set to {} on weekdays and {} on weekends; {below}",
                minimum.weekday_cents, minimum.weekend_cents
            ))
            .set("minimum.weekday", minimum.weekday_cents)
            .set("minimum.weekend", minimum.weekend_cents)
        }
        PriceListEvent::PolicySet(policy) => Description::of(format!(
            "Booking terms set: deposit {} within {} hours, {} cancellation tiers",
            policy.deposit_cents,
            policy.deposit_due_hours,
            policy.cancellation_tiers.len()
        ))
        .set("policy.deposit", policy.deposit_cents)
        .set("policy.deposit_due_hours", policy.deposit_due_hours),
    }
}

fn place(jurisdiction: &Jurisdiction) -> String {
    let Jurisdiction { state, county, city } = jurisdiction;
    match city {
        None => format!("{county} County, {state}"),
        Some(city) => format!("{city} in {county} County, {state}"),
    }
}

/// A rate as people say it, `9.125 %`: exact, by moving the point of the fraction.
fn percent(rate: RatePpm) -> String {
    let text = format!("{}.{:04}", rate.0 / 10_000, rate.0 % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn describe_rate(event: &TaxRateEvent) -> Description {
    match event {
        TaxRateEvent::Set(set) => Description::of(format!(
            "Tax rate of {} set to {} from {}",
            place(&set.jurisdiction),
            percent(set.rate_ppm),
            set.effective_from
        ))
        .set("rate", set.rate_ppm)
        .set("effective_from", set.effective_from)
        .set("source", &set.source),
        TaxRateEvent::Ended(ended) => Description::of(format!(
            "Tax rate of {} from {} ends on {}",
            place(&ended.jurisdiction),
            ended.effective_from,
            ended.effective_until
        ))
        .set("effective_until", ended.effective_until),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{completed, requested, verified};

    #[test]
    fn a_request_is_told_without_whom_it_is_for() {
        let request = DomainEvent::Booking(BookingEvent::Requested(requested(83_920)));
        let told = describe(&request);
        let number = domain::booking::Booking::number(crate::testing::BOOKING);
        assert_eq!(
            told.summary,
            format!(
                "Booking {number} requested for 17 guests at San Jose 95112 on 2026-12-05 18:00, total 839.20"
            )
        );
        assert!(told.redacted);
        let all = format!("{told:?}");
        assert!(!all.contains("street") && !all.contains("note"), "{all}");
    }

    #[test]
    fn a_status_is_told_before_and_after() {
        let told = describe(&DomainEvent::Booking(BookingEvent::Completed(completed(
            85_118,
            Some(91_250),
        ))));
        let status = FieldChange {
            path: "status".to_owned(),
            before: Some("confirmed".to_owned()),
            after: Some("completed".to_owned()),
        };
        assert_eq!(told.changes[0], status);
        let told = describe(&verified(1, 50_000, 10_000).event);
        assert_eq!(
            told.summary,
            "Payment of 500.00 and a tip of 100.00 by zelle for booking N verified"
        );
    }

    #[test]
    fn a_rate_is_said_in_percent() {
        assert_eq!(percent(RatePpm(91_250)), "9.125 %");
        assert_eq!(percent(RatePpm(100_000)), "10 %");
        assert_eq!(percent(RatePpm(0)), "0 %");
    }
}
