//! How the demo company writes to its customers, and where it sends them on to.

use anyhow::Result;
use commands::message::TemplateSave;
use commands::{Caller, Commands};
use domain::locale::Locale;
use domain::message::{MessageChannel, MessageKind};
use domain::message_template::{TemplateOf, TemplateWords};
use domain::review::{ExternalLink, ExternalSite, ReviewSettings};

use super::company::key;

/// Words of its own for confirmations; the program's for everything else.
pub(super) async fn templates(commands: &Commands, caller: &Caller) -> Result<()> {
    let ask = TemplateSave {
        template: TemplateOf {
            kind: MessageKind::BookingConfirmed,
            channel: MessageChannel::Email,
            locale: Locale::english(),
        },
        expected_version: None,
        words: TemplateWords {
            subject: Some("See you on {{event_date}}!".to_owned()),
            text: "Hi {{customer_name}},\n\nyour deposit of {{deposit_amount}} is here, and {{chef_name}} will light the \
                   grill on {{event_date}} at {{event_time}} for {{guest_count}} of you. Still to be paid: \
                   {{balance_due}}. If anything changes, tell us your number {{booking_id}}.\n\nYour My Hibachi team"
                .to_owned(),
        },
    };
    commands
        .save_message_template(caller.clone(), key("template booking_confirmed"), ask)
        .await?;
    Ok(())
}

/// Everybody who answers is shown where the company is at Google.
pub(super) async fn review_links(commands: &Commands, caller: &Caller) -> Result<()> {
    let settings = ReviewSettings {
        links: vec![ExternalLink {
            site: ExternalSite::Google,
            url: "https://g.page/r/my-hibachi-demo/review".to_owned(),
            station_id: None,
        }],
        ..ReviewSettings::default()
    };
    commands
        .change_review_settings(caller.clone(), key("review links"), settings)
        .await?;
    Ok(())
}
