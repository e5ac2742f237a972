//! Customers in plain sentences, without personal data.

use domain::customer::{ConsentChannel, CustomerEvent};
use domain::locale::Locale;

use super::super::description::Description;

pub(super) fn describe_customer(event: &CustomerEvent) -> Description {
    match event {
        CustomerEvent::Registered(_) => Description::of("Customer registered".to_owned()).redacted(),
        CustomerEvent::ConsentGiven(given) => Description::of(format!(
            "Customer agreed to {} ({})",
            by(given.channel),
            given.consent.given_through.replace('_', " ")
        ))
        .changed(
            &format!("consent.{}", given.channel.as_str()),
            given.before.as_deref(),
            given.consent.text_version.as_str(),
        ),
        CustomerEvent::ConsentWithdrawn(withdrawn) => Description::of(format!(
            "Customer does not want {} any more ({})",
            by(withdrawn.channel),
            withdrawn.withdrawn_through.replace('_', " ")
        ))
        .gone(
            &format!("consent.{}", withdrawn.channel.as_str()),
            withdrawn.before.as_str(),
        ),
        CustomerEvent::LocaleSet(set) => {
            let language = |locale: &Option<Locale>| match locale {
                Some(locale) => locale.to_string(),
                None => "the company's own".to_owned(),
            };
            Description::of(format!("Customer is written to in: {}", language(&set.locale))).changed(
                "locale",
                Some(language(&set.before)),
                language(&set.locale),
            )
        }
        CustomerEvent::Erased(erased) => Description::of(format!(
            "Customer erased; {} keys destroyed",
            erased.destroyed.len()
        ))
        .because(Some(&erased.reason))
        .changed("erased", Some(false), true),
    }
}

fn by(channel: ConsentChannel) -> &'static str {
    match channel {
        ConsentChannel::Sms => "text messages",
        ConsentChannel::Email => "e-mail",
    }
}

#[cfg(test)]
mod tests {
    use domain::customer::{Consent, CustomerConsentGiven, CustomerConsentWithdrawn};

    use super::*;
    use crate::testing::at;

    #[test]
    fn a_consent_is_told_with_its_text_and_where_it_was_given() {
        let given = describe_customer(&CustomerEvent::ConsentGiven(CustomerConsentGiven {
            channel: ConsentChannel::Sms,
            consent: Consent {
                given_at: at("2026-11-01T00:00:00Z"),
                given_through: "web_form".to_owned(),
                text_version: "2026-02".to_owned(),
            },
            before: Some("2026-01".to_owned()),
        }));
        assert_eq!(given.summary, "Customer agreed to text messages (web form)");
        let change = &given.changes[0];
        assert_eq!(
            (
                change.path.as_str(),
                change.before.as_deref(),
                change.after.as_deref()
            ),
            ("consent.sms", Some("2026-01"), Some("2026-02"))
        );
        let withdrawn = describe_customer(&CustomerEvent::ConsentWithdrawn(CustomerConsentWithdrawn {
            channel: ConsentChannel::Email,
            before: "2026-02".to_owned(),
            withdrawn_through: "staff".to_owned(),
            withdrawn_at: at("2026-11-02T00:00:00Z"),
        }));
        assert_eq!(
            withdrawn.summary,
            "Customer does not want e-mail any more (staff)"
        );
        assert_eq!(withdrawn.changes[0].after, None);
    }
}
