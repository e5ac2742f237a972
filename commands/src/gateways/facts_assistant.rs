//! The embedded assistant: the company's facts in plain sentences.

use async_trait::async_trait;
use chrono::{NaiveTime, Timelike};
use domain::money::{Cents, RatePpm};
use domain::price_list::{BelowMinimum, DepositBack, ItemKind, PricedItem};
use domain::quote::Quote;
use domain::router::Intent;

use crate::assistant::{BranchFacts, CompanyFacts, Question};
use crate::ports::Assistant;

/// Answers with nothing but the company's facts.
pub struct FactsAssistant;

#[async_trait]
impl Assistant for FactsAssistant {
    async fn answer(&self, question: &Question, facts: &CompanyFacts) -> Option<String> {
        Some(Self::say(question, facts))
    }
}

/// What somebody who wants a person may say.
const A_PERSON: &str = "Say \"a real person, please\" and somebody of our team takes over.";

/// How many things on offer are named at most.
const ITEMS: usize = 25;

impl FactsAssistant {
    /// What the facts say to a question.
    pub(crate) fn say(question: &Question, facts: &CompanyFacts) -> String {
        let sentences = match question.intent {
            Intent::Pricing => pricing(question, facts),
            Intent::Booking => booking(question, facts),
            Intent::Menu => menu(facts),
            Intent::Availability => availability(question, facts),
            Intent::Location => location(question, facts),
            Intent::Dietary => dietary(facts),
            Intent::Policy => policy(facts),
            Intent::Complaint => vec![
                "I am sorry to hear that.".to_owned(),
                "Please tell us what went wrong, and we will put it right.".to_owned(),
                A_PERSON.to_owned(),
            ],
            Intent::Human | Intent::Other => vec![
                format!(
                    "Thank you for writing to {}.",
                    some(&facts.company).unwrap_or("us")
                ),
                "I can tell you about prices, the menu, free dates, where we come to and our terms."
                    .to_owned(),
                A_PERSON.to_owned(),
            ],
        };
        sentences.join(" ")
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// What is still to be said of the party, as a question.
fn ask_for(question: &Question, what_for: &str) -> Option<String> {
    let said = &question.particulars;
    let missing: Vec<&str> = [
        (said.guests().is_none(), "how many guests come"),
        (said.on.is_none(), "the date"),
        (said.zip.is_none(), "the ZIP code of the venue"),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect();
    let (last, first) = missing.split_last()?;
    let list = if first.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", first.join(", "))
    };
    Some(format!("{what_for}, tell me {list}."))
}

fn pricing(question: &Question, facts: &CompanyFacts) -> Vec<String> {
    let mut said = Vec::new();
    match &facts.quote {
        Some(Ok(quote)) => said.extend(quoted(question, quote)),
        Some(Err(why)) => said.push(format!("I cannot price that party: {why}.")),
        None => {
            if let Some(branch) = &facts.branch {
                said.extend(prices(branch));
            }
            said.extend(ask_for(question, "For an exact price"));
        }
    }
    if said.is_empty() {
        said.push(format!("I have no price at hand. {A_PERSON}"));
    }
    said
}

fn quoted(question: &Question, quote: &Quote) -> Vec<String> {
    let said = &question.particulars;
    let guests = said.guests().map_or(0, domain::guests::Guests::total);
    let (Some(on), Some(zip)) = (said.on, &said.zip) else {
        return Vec::new();
    };
    let lines: Vec<String> = quote
        .lines
        .iter()
        .map(|line| format!("{} {}", line.label, dollars(line.total_cents)))
        .collect();
    vec![
        format!(
            "For {guests} guests on {on} at {zip} the total is {}: {}.",
            dollars(quote.total_cents),
            lines.join(", ")
        ),
        format!(
            "A deposit of {} holds the date; the rest is {}.",
            dollars(quote.deposit_cents),
            dollars(quote.total_cents - quote.deposit_cents)
        ),
    ]
}

fn prices(branch: &BranchFacts) -> Vec<String> {
    let mut said = Vec::new();
    let of = |kind: ItemKind| {
        let items = branch.items.iter().filter(move |item| item.kind == kind);
        items.map(priced).collect::<Vec<String>>()
    };
    let guests = [of(ItemKind::Adult), of(ItemKind::Child)].concat();
    if !guests.is_empty() {
        said.push(format!("Our prices, tax included: {}.", guests.join(", ")));
    }
    if let Some(minimum) = &branch.minimum {
        let below = match minimum.below {
            BelowMinimum::TopUp => "A booking comes to at least",
            BelowMinimum::Refuse => "We come for bookings of at least",
        };
        said.push(format!(
            "{below} {} from Monday to Thursday and {} from Friday to Sunday.",
            dollars(minimum.weekday_cents),
            dollars(minimum.weekend_cents)
        ));
    }
    said.extend(travel(branch));
    said
}

fn travel(branch: &BranchFacts) -> Option<String> {
    branch.travel.as_ref().map(|travel| {
        format!(
            "The first {} miles of travel are free, each further mile is {}; we go {} miles.",
            travel.free_miles,
            dollars(travel.per_mile_cents),
            travel.max_miles
        )
    })
}

fn priced(item: &PricedItem) -> String {
    let each = match item.kind {
        ItemKind::Adult | ItemKind::Child => " each",
        ItemKind::AddOn => "",
    };
    format!("{} {}{each}", item.label, dollars(item.price_cents))
}

fn booking(question: &Question, facts: &CompanyFacts) -> Vec<String> {
    let mut said = Vec::new();
    match &facts.quote {
        Some(Ok(quote)) => said.extend(quoted(question, quote)),
        Some(Err(why)) => said.push(format!("I cannot price that party: {why}.")),
        None => {}
    }
    if facts.free.is_some() {
        said.extend(free(question, facts));
    }
    if let Some(ask) = ask_for(question, "To book a party") {
        said.push(ask);
    } else {
        said.push(
            "Send us the street and your name through our booking page, and the date is held.".to_owned(),
        );
    }
    said.push(format!(
        "To change a booking, have its number at hand. {A_PERSON}"
    ));
    said
}

fn menu(facts: &CompanyFacts) -> Vec<String> {
    let Some(branch) = facts.branch.as_ref().filter(|branch| !branch.items.is_empty()) else {
        return vec![
            "Tell me the ZIP code of the venue, and I can say what is on offer there.".to_owned(),
            A_PERSON.to_owned(),
        ];
    };
    let items: Vec<String> = branch.items.iter().take(ITEMS).map(priced).collect();
    vec![
        format!("On offer, tax included: {}.", items.join(", ")),
        "Our chef cooks at your place.".to_owned(),
    ]
}

fn availability(question: &Question, facts: &CompanyFacts) -> Vec<String> {
    if facts.free.is_some() {
        return free(question, facts);
    }
    let mut said = Vec::new();
    if let Some(branch) = &facts.branch {
        said.push(format!(
            "We begin at {}, and need to know {} hours before.",
            times(&branch.settings.slots),
            branch.settings.lead_hours
        ));
    }
    said.extend(ask_for(question, "To see whether we are free"));
    if said.is_empty() {
        said.push(A_PERSON.to_owned());
    }
    said
}

fn free(question: &Question, facts: &CompanyFacts) -> Vec<String> {
    let Some(on) = question.particulars.on else {
        return Vec::new();
    };
    match &facts.free {
        Some(Ok(free)) if free.is_empty() => {
            vec![format!("On {on} nothing is free. Ask me about another day.")]
        }
        Some(Ok(free)) => vec![format!("On {on} these starts are free: {}.", times(free))],
        Some(Err(why)) => vec![format!("I cannot see that day: {why}.")],
        None => Vec::new(),
    }
}

fn location(question: &Question, facts: &CompanyFacts) -> Vec<String> {
    let mut said = Vec::new();
    let branches: Vec<String> = facts
        .branches
        .iter()
        .map(|(name, zip, state)| format!("{name} ({state} {zip})"))
        .collect();
    if !branches.is_empty() {
        said.push(format!("Our chefs come to you, from {}.", branches.join(", ")));
    }
    let branch = facts.branch.as_ref();
    let band = branch.and_then(|branch| branch.travel.as_ref());
    match (branch.and_then(|branch| branch.miles), band) {
        (Some(miles), Some(band)) if miles > band.max_miles => said.push(format!(
            "Your venue is about {miles} miles away, and we go {} miles.",
            band.max_miles
        )),
        (Some(miles), _) => said.push(format!("Your venue is about {miles} miles away: we come to you.")),
        (None, _) => {
            said.push("Tell me the ZIP code of the venue, and I can say whether we come there.".to_owned())
        }
    }
    let within = |miles: i64| band.is_none_or(|band| miles <= band.max_miles);
    if let (Some(branch), true) = (branch, branch.and_then(|branch| branch.miles).is_none_or(within)) {
        said.extend(travel(branch));
    }
    let _ = question;
    said
}

fn dietary(facts: &CompanyFacts) -> Vec<String> {
    const WORDS: [&str; 9] = [
        "vegetarian",
        "vegan",
        "tofu",
        "vegetable",
        "gluten",
        "halal",
        "kosher",
        "dairy",
        "veggie",
    ];
    let fits = |item: &&PricedItem| {
        let label = item.label.to_lowercase();
        WORDS.iter().any(|word| label.contains(word))
    };
    let items: Vec<String> = facts
        .branch
        .iter()
        .flat_map(|branch| branch.items.iter().filter(fits))
        .map(priced)
        .collect();
    let mut said = Vec::new();
    if !items.is_empty() {
        said.push(format!("On offer: {}.", items.join(", ")));
    }
    said.push("Tell us with your booking what somebody may not eat, so that the chef knows.".to_owned());
    said.push(format!(
        "Where an allergy is at stake I make no promise: a person of our team confirms it. {A_PERSON}"
    ));
    said
}

fn policy(facts: &CompanyFacts) -> Vec<String> {
    let Some(branch) = &facts.branch else {
        return vec![
            "Tell me the ZIP code of the venue, and I can say on which terms we come there.".to_owned(),
            A_PERSON.to_owned(),
        ];
    };
    let (policy, settings) = (&branch.policy, &branch.settings);
    let mut said = vec![format!(
        "A deposit of {} is due within {} hours of your request.",
        dollars(policy.deposit_cents),
        policy.deposit_due_hours
    )];
    let tiers: Vec<String> = policy
        .cancellation_tiers
        .iter()
        .map(|tier| {
            let deposit = match tier.deposit_back {
                DepositBack::Kept => "the deposit is kept",
                DepositBack::Returned => "the deposit is returned",
            };
            format!(
                "{} hours or more before the start you get {} of the balance back and {deposit}",
                tier.hours_before,
                percent(tier.refund_ppm)
            )
        })
        .collect();
    if !tiers.is_empty() {
        said.push(format!(
            "If you cancel {}; later than that nothing is given back.",
            tiers.join("; ")
        ));
    }
    let changes = &policy.changes;
    said.push(format!(
        "You can move a party {} times for nothing until {} hours before.",
        changes.free_reschedules, changes.free_hours_before
    ));
    if let Some(fee) = changes.reschedule_fee_cents {
        said.push(format!("Otherwise moving it costs {}.", dollars(fee)));
    }
    if let Some(gratuity) = &policy.gratuity {
        said.push(format!(
            "From {} guests on a gratuity of {} is part of the price.",
            gratuity.from_guests,
            percent(gratuity.rate_ppm)
        ));
    }
    said.push(format!(
        "The chef arrives {} minutes before to set up, the event takes {} minutes, and clearing away {}.",
        settings.setup_mins, settings.event_mins, settings.teardown_mins
    ));
    said
}

fn dollars(amount: Cents) -> String {
    if amount < Cents::ZERO {
        format!("-${}", -amount)
    } else {
        format!("${amount}")
    }
}

/// `50 %`, `12.5 %`: shares have no more than that in terms.
fn percent(rate: RatePpm) -> String {
    let (whole, tenths) = (rate.0 / 10_000, rate.0 % 10_000 / 1_000);
    if tenths == 0 {
        format!("{whole} %")
    } else {
        format!("{whole}.{tenths} %")
    }
}

/// `3 pm, 6:30 pm`.
fn times(times: &[NaiveTime]) -> String {
    let time = |time: &NaiveTime| {
        let (is_pm, hour) = time.hour12();
        let half = if is_pm { "pm" } else { "am" };
        match time.minute() {
            0 => format!("{hour} {half}"),
            minute => format!("{hour}:{minute:02} {half}"),
        }
    };
    times.iter().map(time).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests;
