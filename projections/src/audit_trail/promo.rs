//! Promo codes in plain sentences.

use domain::promo_code::{Discount, PromoAudience, PromoCodeEvent, PromoTerms};

use super::description::{Description, Told, instant, percent};

/// Says what happened to a promo code.
pub(super) fn describe(event: &PromoCodeEvent) -> Description {
    match event {
        PromoCodeEvent::Created(created) => {
            let terms = &created.terms;
            let described = Description::of(format!(
                "Promo code {} made: {} off from {}",
                created.code,
                discount(terms.discount),
                instant(terms.starts_at)
            ))
            .set("code", created.code.as_str());
            told(described, None, terms)
        }
        PromoCodeEvent::Changed(changed) => {
            let described = Description::of(format!(
                "Terms of the promo code changed: {} off",
                discount(changed.terms.discount)
            ))
            .because(Some(&changed.reason));
            told(described, Some(&changed.before), &changed.terms)
        }
        PromoCodeEvent::Ended(ended) => Description::of("Promo code ended".to_owned())
            .because(Some(&ended.reason))
            .changed("ended", Some(false), true),
    }
}

fn discount(discount: Discount) -> String {
    match discount {
        Discount::Percent { rate_ppm } => percent(rate_ppm),
        Discount::Fixed { amount_cents } => amount_cents.to_string(),
    }
}

fn audience(audience: PromoAudience) -> &'static str {
    match audience {
        PromoAudience::Everybody => "everybody",
        PromoAudience::NewCustomers => "new customers",
    }
}

/// A field that may be there or not, where it is not as it was.
fn maybe<T: Into<Told> + PartialEq>(
    described: Description,
    path: &str,
    before: Option<T>,
    after: Option<T>,
) -> Description {
    match (before, after) {
        (before, after) if before == after => described,
        (before, Some(after)) => described.changed(path, before, after),
        (Some(before), None) => described.gone(path, before),
        (None, None) => described,
    }
}

/// The terms: all that there are of a new code, those that are not as they were of another.
fn told(described: Description, before: Option<&PromoTerms>, after: &PromoTerms) -> Description {
    let was = |text: fn(&PromoTerms) -> String| before.map(text);
    let text = |described, path, told: fn(&PromoTerms) -> String| {
        maybe(described, path, was(told), Some(told(after)))
    };
    let described = text(described, "discount", |terms| discount(terms.discount));
    let described = text(described, "audience", |terms| audience(terms.audience).to_owned());
    let described = maybe(
        described,
        "starts_at",
        before.map(|terms| terms.starts_at),
        Some(after.starts_at),
    );
    let described = maybe(
        described,
        "ends_at",
        before.and_then(|terms| terms.ends_at),
        after.ends_at,
    );
    let least = |terms: &PromoTerms| Some(terms.minimum_cents).filter(|minimum| !minimum.is_zero());
    let described = maybe(described, "minimum", before.and_then(least), least(after));
    let described = maybe(
        described,
        "limit",
        before.and_then(|terms| terms.limit_total),
        after.limit_total,
    );
    let described = maybe(
        described,
        "limit_per_customer",
        before.and_then(|terms| terms.limit_per_customer),
        after.limit_per_customer,
    );
    let before = before.map(|terms| terms.stations.as_slice()).unwrap_or_default();
    let gone = before.iter().filter(|station| !after.stations.contains(station));
    let described = gone.fold(described, |described, station| {
        described.gone("stations", *station)
    });
    let new = after.stations.iter().filter(|station| !before.contains(station));
    new.fold(described, |described, station| {
        described.set("stations", *station)
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use domain::ids::StationId;
    use domain::money::{Cents, RatePpm};
    use domain::promo_code::{PromoCodeChanged, PromoCodeCreated, PromoCodeEnded};
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn terms() -> PromoTerms {
        PromoTerms {
            discount: Discount::Percent {
                rate_ppm: RatePpm(100_000),
            },
            starts_at: at("2026-03-01T08:00:00Z"),
            ends_at: Some(at("2026-06-01T07:00:00Z")),
            minimum_cents: Cents::ZERO,
            limit_total: Some(100),
            limit_per_customer: None,
            audience: PromoAudience::Everybody,
            stations: vec![StationId(Uuid::from_u128(1))],
            customer_id: None,
        }
    }

    fn lines(described: &Description) -> Vec<(&str, Option<&str>, Option<&str>)> {
        described
            .changes
            .iter()
            .map(|change| {
                (
                    change.path.as_str(),
                    change.before.as_deref(),
                    change.after.as_deref(),
                )
            })
            .collect()
    }

    #[test]
    fn a_new_code_tells_all_that_it_grants() {
        let created = describe(&PromoCodeEvent::Created(PromoCodeCreated {
            code: "Spring-26".to_owned(),
            terms: terms(),
            created_at: at("2026-02-20T18:00:00Z"),
        }));
        assert_eq!(
            created.summary,
            "Promo code Spring-26 made: 10 % off from 2026-03-01T08:00:00Z"
        );
        let station = Uuid::from_u128(1).to_string();
        assert_eq!(
            lines(&created),
            [
                ("code", None, Some("Spring-26")),
                ("discount", None, Some("10 %")),
                ("audience", None, Some("everybody")),
                ("starts_at", None, Some("2026-03-01T08:00:00Z")),
                ("ends_at", None, Some("2026-06-01T07:00:00Z")),
                ("limit", None, Some("100")),
                ("stations", None, Some(station.as_str())),
            ]
        );
    }

    #[test]
    fn a_changed_code_tells_what_is_not_as_it_was() {
        let changed = describe(&PromoCodeEvent::Changed(PromoCodeChanged {
            before: terms(),
            terms: PromoTerms {
                discount: Discount::Fixed {
                    amount_cents: Cents(5_000),
                },
                ends_at: None,
                minimum_cents: Cents(50_000),
                stations: Vec::new(),
                ..terms()
            },
            reason: "it goes well".to_owned(),
            changed_at: at("2026-03-05T18:00:00Z"),
        }));
        assert_eq!(changed.reason.as_deref(), Some("it goes well"));
        let station = Uuid::from_u128(1).to_string();
        assert_eq!(
            lines(&changed),
            [
                ("discount", Some("10 %"), Some("50.00")),
                ("ends_at", Some("2026-06-01T07:00:00Z"), None),
                ("minimum", None, Some("500.00")),
                ("stations", Some(station.as_str()), None),
            ]
        );
        let ended = describe(&PromoCodeEvent::Ended(PromoCodeEnded {
            reason: "enough".to_owned(),
            ended_at: at("2026-05-20T18:00:00Z"),
        }));
        assert_eq!(lines(&ended), [("ended", Some("false"), Some("true"))]);
    }
}
