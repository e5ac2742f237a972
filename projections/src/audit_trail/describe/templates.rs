//! Templates of messages, and how a company writes, in plain sentences.

use domain::message_settings::MessageSettings;
use domain::message_template::{MessageTemplateEvent, TemplateOf, TemplateWords};
use domain::organisation::MessageSettingsChanged;

use super::super::description::Description;

pub(super) fn describe_template(event: &MessageTemplateEvent) -> Description {
    match event {
        MessageTemplateEvent::Saved(saved) => {
            let text = |words: &TemplateWords| words.text.clone();
            let described = Description::of(format!(
                "Version {} of the template for {} saved",
                saved.number,
                purpose(&saved.template)
            ));
            let before = saved.before.as_ref();
            let described = match (
                &saved.words.subject,
                before.and_then(|words| words.subject.clone()),
            ) {
                (Some(subject), before) if before.as_ref() != Some(subject) => {
                    described.changed("subject", before, subject.clone())
                }
                (Some(_) | None, _) => described,
            };
            described.changed("text", before.map(text), text(&saved.words))
        }
        MessageTemplateEvent::Retired(retired) => Description::of(format!(
            "The template for {} is used no more",
            purpose(&retired.template)
        ))
        .because(Some(&retired.reason))
        .gone("version", retired.number),
    }
}

fn purpose(template: &TemplateOf) -> String {
    let kind = template.kind.as_str().replace('_', " ");
    format!("{kind} by {} in {}", template.channel.as_str(), template.locale)
}

pub(super) fn describe_message_settings(changed: &MessageSettingsChanged) -> Description {
    let quiet = |settings: &MessageSettings| {
        let hours = settings.quiet;
        format!(
            "{} to {}",
            hours.from.format("%H:%M"),
            hours.until.format("%H:%M")
        )
    };
    let (before, after) = (&changed.before, &changed.settings);
    let mut described = Description::of("How customers are written to was changed".to_owned());
    if before.locale != after.locale {
        described = described.changed(
            "locale",
            Some(before.locale.to_string()),
            after.locale.to_string(),
        );
    }
    if before.quiet != after.quiet {
        described = described.changed("quiet_hours", Some(quiet(before)), quiet(after));
    }
    match (&before.payment_page, &after.payment_page) {
        (before, Some(page)) if before.as_ref() != Some(page) => {
            described.changed("payment_page", before.clone(), page.clone())
        }
        (Some(page), None) => described.gone("payment_page", page.clone()),
        (Some(_) | None, _) => described,
    }
}
