//! Events in plain sentences, without personal data.

use chrono::NaiveDateTime;
use domain::booking::{
    BookingCancelled, BookingCompleted, BookingEvent, BookingRequested, BookingStatus, CancelledBy,
    RefundRule,
};
use domain::document::DocumentEvent;
use domain::document::series::DocumentSeriesEvent;
use domain::organisation::OrganisationEvent;
use domain::price_list::DepositBack;
use domain::recorded::DomainEvent;
use domain::station::StationEvent;
use domain::tax_account::KeptDepositTax;
use domain::tax_rate::{Jurisdiction, TaxRateEvent};

use super::description::{Description, instant, percent};
use super::{prices, promo};

mod changes;
mod chefs;
mod conversations;
mod customers;
mod documents;
mod escalations;
mod jobs;
mod leads;
mod messages;
mod payments;
mod reviews;
mod tax;
mod templates;
mod users;
mod work;

/// Says what happened.
pub(super) fn describe(event: &DomainEvent) -> Description {
    match event {
        DomainEvent::Organisation(OrganisationEvent::Created(created)) => {
            Description::of(format!("Organisation {} created", created.name))
                .set("name", created.name.as_str())
                .set("slug", created.slug.as_str())
        }
        DomainEvent::Organisation(OrganisationEvent::StationAdded(added)) => {
            Description::of(format!("A station at {} added to the organisation", added.zip))
                .set("stations", added.station_id)
        }
        DomainEvent::Organisation(OrganisationEvent::RefundLimitSet(set)) => Description::of(format!(
            "Support staff may give back {} of one payment",
            set.limit_cents
        ))
        .changed("refund_limit", Some(set.before_cents), set.limit_cents),
        DomainEvent::Organisation(OrganisationEvent::WebhookRefused(refused)) => Description::of(format!(
            "A message that claimed to come from {} was turned away: {}",
            refused.provider,
            refused.why.as_str()
        )),
        DomainEvent::Organisation(OrganisationEvent::ReviewSettingsChanged(changed)) => {
            reviews::describe_settings(changed)
        }
        DomainEvent::Organisation(OrganisationEvent::ReviewRoutingSet(set)) => reviews::describe_routing(set),
        DomainEvent::Organisation(OrganisationEvent::LeadWindowSet(set)) => leads::describe_window(set),
        DomainEvent::Organisation(OrganisationEvent::MessageSettingsChanged(changed)) => {
            templates::describe_message_settings(changed)
        }
        DomainEvent::Organisation(OrganisationEvent::TaxChoiceMade(chosen)) => {
            Description::of("How much of a card fee is taxed was chosen".to_owned())
                .because(Some(&chosen.reason))
                .changed(
                    "tax.card_fee",
                    Some(chosen.before.as_str()),
                    chosen.card_fee.as_str(),
                )
        }
        DomainEvent::Organisation(OrganisationEvent::KeptDepositTaxChosen(chosen)) => {
            Description::of("Whether what is kept of a cancelled booking is a sale was chosen".to_owned())
                .because(Some(&chosen.reason))
                .changed(
                    "tax.kept_deposit",
                    Some(chosen.before.as_str()),
                    chosen.kept_deposit.as_str(),
                )
        }
        DomainEvent::Organisation(OrganisationEvent::SecondFactorRuleSet(set)) => users::describe_rule(set),
        DomainEvent::Organisation(OrganisationEvent::FeatureFlagSet(set)) => users::describe_flag(set),
        DomainEvent::Station(station) => describe_station(station),
        DomainEvent::Chef(chef) => chefs::describe_chef(chef),
        DomainEvent::User(user) => users::describe_user(user),
        DomainEvent::Customer(customer) => customers::describe_customer(customer),
        DomainEvent::Booking(booking) => describe_booking(booking),
        DomainEvent::Payment(payment) => payments::describe_payment(payment),
        DomainEvent::PriceList(changed) => prices::describe(changed),
        DomainEvent::PromoCode(changed) => promo::describe(changed),
        DomainEvent::TaxRate(rate) => describe_rate(rate),
        DomainEvent::WorkItem(item) => work::describe_work(item),
        DomainEvent::Conversation(conversation) => conversations::describe_conversation(conversation),
        DomainEvent::Escalation(escalation) => escalations::describe_escalation(escalation),
        DomainEvent::Review(review) => reviews::describe_review(review),
        DomainEvent::Message(message) => messages::describe_message(message),
        DomainEvent::MessageTemplate(template) => templates::describe_template(template),
        DomainEvent::Job(job) => jobs::describe_job(job),
        DomainEvent::TaxPeriod(period) => tax::describe_period(period),
        DomainEvent::Document(DocumentEvent::Issued(issued)) => documents::describe(issued),
        DomainEvent::DocumentSeries(DocumentSeriesEvent::NumberTaken(taken)) => {
            documents::describe_number(taken)
        }
        DomainEvent::Lead(lead) => leads::describe_lead(lead),
    }
}

fn minute(local: NaiveDateTime) -> impl std::fmt::Display {
    local.format("%Y-%m-%d %H:%M")
}

fn describe_station(event: &StationEvent) -> Description {
    match event {
        StationEvent::Created(created) => Description::of(format!(
            "Station {} opened at {} {}, zone {}",
            created.name, created.state, created.zip, created.zone
        ))
        .set("name", created.name.as_str())
        .set("zone", created.zone.name())
        .set("zip", created.zip.to_string()),
        StationEvent::ChefJoined(joined) => {
            Description::of("A chef joined the station".to_owned()).set("chefs", joined.chef_id)
        }
        StationEvent::ChefLeft(left) => {
            Description::of("A chef left the station".to_owned()).gone("chefs", left.chef_id)
        }
        StationEvent::SettingsChanged(changed) => changes::describe_settings(changed),
        StationEvent::CalendarIssued(_) => {
            Description::of("A secret address of the station's calendar given out".to_owned())
        }
        StationEvent::CalendarRevoked(_) => {
            Description::of("The secret address of the station's calendar taken back".to_owned())
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
        .became(BookingStatus::Requested, BookingStatus::Confirmed),
        BookingEvent::Completed(completed) => describe_completion(completed),
        BookingEvent::Cancelled(cancelled) => describe_cancellation(cancelled),
        BookingEvent::Expired(expired) => Description::of(format!(
            "Booking expired: the deposit was due at {}",
            instant(expired.due_at)
        ))
        .became(BookingStatus::Requested, BookingStatus::Expired),
        BookingEvent::DepositDueExtended(extended) => changes::describe_extension(extended),
        BookingEvent::GuestCountChanged(changed) => changes::describe_guests(changed),
        BookingEvent::MenuChanged(changed) => changes::describe_menu(changed),
        BookingEvent::Rescheduled(moved) => changes::describe_move(moved),
        BookingEvent::ChefAssigned(assigned) => changes::describe_chef(assigned),
        BookingEvent::ChefUnassigned(unassigned) => Description::of(format!(
            "A chef taken off the booking {}",
            unassigned.because.as_str()
        ))
        .because(unassigned.reason.as_ref())
        .gone("chefs", unassigned.chef_id),
        BookingEvent::Deleted(deleted) => Description::of(format!(
            "Booking deleted; it can be restored until {}",
            instant(deleted.restorable_until)
        ))
        .because(Some(&deleted.reason))
        .changed("deleted", Some(false), true),
        BookingEvent::Restored(restored) => {
            let described = Description::of(format!("Booking restored as {}", restored.status.as_str()))
                .because(restored.reason.as_ref())
                .changed("deleted", Some(true), false);
            match restored.status {
                BookingStatus::Requested => described.set("deposit_due_at", restored.deposit_due_at),
                BookingStatus::Confirmed
                | BookingStatus::Completed
                | BookingStatus::Cancelled
                | BookingStatus::Expired => described,
            }
        }
        BookingEvent::NoteAdded(_) => Description::of("A note added to the booking".to_owned()).redacted(),
        BookingEvent::TaxPlaceSet(set) => tax::describe_place(set),
        BookingEvent::TaxAdjusted(adjusted) => tax::describe_adjustment(adjusted),
        BookingEvent::TermsAccepted(accepted) => {
            Description::of(format!("Terms {} accepted", accepted.terms_version))
                .set("terms_version", accepted.terms_version.as_str())
        }
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
    .set("status", BookingStatus::Requested)
    .set("start", requested.start.utc)
    .set("guests", requested.guests.total())
    .set("total", requested.quote.total_cents)
    .set("deposit", requested.quote.deposit_cents)
    .set("deposit_due_at", requested.deposit_due_at)
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
    .became(BookingStatus::Confirmed, BookingStatus::Completed);
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
    let described = Description::of(format!(
        "Booking cancelled by {by}, {} hours before its start",
        cancelled.hours_before
    ))
    .because(Some(&cancelled.reason))
    .changed("status", cancelled.was, BookingStatus::Cancelled)
    .set("refund", refund(&cancelled.refund));
    match cancelled.kept {
        KeptDepositTax::NotASale => described,
        KeptDepositTax::Sale => described.set("tax.kept_deposit", cancelled.kept.as_str()),
    }
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

fn place(jurisdiction: &Jurisdiction) -> String {
    let Jurisdiction { state, county, city } = jurisdiction;
    match city {
        None => format!("{county} County, {state}"),
        Some(city) => format!("{city} in {county} County, {state}"),
    }
}

fn describe_rate(event: &TaxRateEvent) -> Description {
    match event {
        TaxRateEvent::Set(set) => Description::of(format!(
            "Tax rate of {} {} to {} from {}",
            place(&set.jurisdiction),
            if set.correction.is_some() {
                "corrected"
            } else {
                "set"
            },
            percent(set.rate_ppm),
            set.effective_from
        ))
        .because(set.correction.as_ref())
        .changed("rate", set.before_ppm, set.rate_ppm)
        .set("effective_from", set.effective_from)
        .set("source", set.source.as_str()),
        TaxRateEvent::Imported(imported) => Description::of(format!(
            "{} changes of tax rates taken from a file",
            imported.rates
        ))
        .set("file", imported.file.as_str()),
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
mod tests;
