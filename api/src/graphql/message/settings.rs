//! How a company writes to its customers.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::message_settings::{MessageSettings as DomainSettings, QuietHours};

use super::language;
use crate::graphql::connection::payload;
use crate::graphql::error::{outcome, refused_question};
use crate::graphql::scalar::LocalTime;
use crate::graphql::session::{app, caller, under_key};

/// How a company writes to its customers.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MessageSettings {
    /// The language of customers who have not said theirs, as BCP 47 names it: `en`, `es-MX`.
    locale: String,
    /// When text messages stop for the night, by the clock of the party or its station, inclusive.
    quiet_from: LocalTime,
    /// When they go out again, exclusive. What is due between waits until then. E-mail does not wait.
    quiet_until: LocalTime,
    /// What the address of a booking's payment begins with, its number after it; null where customers are told otherwise.
    payment_page: Option<String>,
}

impl From<DomainSettings> for MessageSettings {
    fn from(settings: DomainSettings) -> Self {
        Self {
            locale: settings.locale.to_string(),
            quiet_from: LocalTime(settings.quiet.from),
            quiet_until: LocalTime(settings.quiet.until),
            payment_page: settings.payment_page,
        }
    }
}

/// Questions about how a company writes to its customers.
#[derive(Default)]
pub(in crate::graphql) struct MessageSettingsQuery;

#[Object]
impl MessageSettingsQuery {
    /// How the company writes to its customers. Needs message:read.
    async fn message_settings(&self, ctx: &Context<'_>) -> Result<MessageSettings> {
        let settings = app(ctx).commands.message_settings(&caller(ctx)?).await;
        Ok(settings.map_err(refused_question)?.into())
    }
}

/// How the company is to write to its customers: all of it.
#[derive(InputObject)]
pub(in crate::graphql) struct MessageSettingsChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The language of customers who have not said theirs, as BCP 47 names it: `en`, `es-MX`.
    #[graphql(default = "en")]
    locale: String,
    /// When text messages stop for the night, by the clock of the party or its station, inclusive. Whoever did not ask to be
    /// called may not be between 21:00 and 08:00 (47 CFR 64.1200(c)(1)).
    quiet_from: LocalTime,
    /// When they go out again, exclusive; earlier in the day than the other for hours over midnight.
    quiet_until: LocalTime,
    /// What the address of a booking's payment begins with, its number after it: an https address. Templates with
    /// `payment_link` need one.
    payment_page: Option<String>,
}

payload!(MessageSettingsPayload, message_settings: MessageSettings);

/// Commands on how a company writes to its customers.
#[derive(Default)]
pub(in crate::graphql) struct MessageSettingsMutation;

#[Object]
impl MessageSettingsMutation {
    /// Changes how the company writes to its customers. Needs template:write.
    async fn message_settings_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: MessageSettingsChangeInput,
    ) -> Result<MessageSettingsPayload> {
        let caller = caller(ctx)?;
        let locale = match language(&input.locale) {
            Ok(locale) => locale,
            Err(refused) => return Ok(MessageSettingsPayload::refused(refused)),
        };
        let settings = DomainSettings {
            locale,
            quiet: QuietHours {
                from: input.quiet_from.0,
                until: input.quiet_until.0,
            },
            payment_page: input.payment_page,
        };
        let done = under_key(&input.idempotency_key, |key| {
            let settings = settings.clone();
            app(ctx).commands.change_message_settings(caller, key, settings)
        })
        .await;
        Ok(match outcome(done)? {
            Ok(written) => MessageSettingsPayload::written(Some(settings.into()), &written),
            Err(refused) => MessageSettingsPayload::refused(refused),
        })
    }
}
