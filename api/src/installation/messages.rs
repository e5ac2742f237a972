//! Settings of what takes messages to customers and brings theirs: from the environment, else from the directory of secrets,
//! else there are none.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use commands::gateways::carriers::{
    Carriers, Credential, RingCentral, RingCentralSetup, Smtp, SmtpSetup, Whatsapp, WhatsappSetup,
};
use commands::gateways::incoming::SharedSecrets;

use super::stripe::setting;
use crate::webhooks::MessageSecrets;

/// `log` where messages go nowhere but are told of in the log.
const MESSAGES: &str = "HIBACHI_MESSAGES";
const SMTP_URL: &str = "HIBACHI_SMTP_URL";
const SMTP_FROM: &str = "HIBACHI_SMTP_FROM";
const RINGCENTRAL_URL: &str = "HIBACHI_RINGCENTRAL_URL";
const RINGCENTRAL_ID: &str = "HIBACHI_RINGCENTRAL_CLIENT_ID";
const RINGCENTRAL_SECRET: &str = "HIBACHI_RINGCENTRAL_CLIENT_SECRET";
const RINGCENTRAL_JWT: &str = "HIBACHI_RINGCENTRAL_JWT";
const RINGCENTRAL_FROM: &str = "HIBACHI_RINGCENTRAL_FROM";
const RINGCENTRAL_TOKENS: &str = "HIBACHI_RINGCENTRAL_VERIFICATION_TOKENS";
const WHATSAPP_URL: &str = "HIBACHI_WHATSAPP_URL";
const WHATSAPP_TOKEN: &str = "HIBACHI_WHATSAPP_TOKEN";
const WHATSAPP_PHONE: &str = "HIBACHI_WHATSAPP_PHONE_ID";
const META_SECRETS: &str = "HIBACHI_META_APP_SECRETS";
const META_TOKENS: &str = "HIBACHI_META_VERIFY_TOKENS";

/// How messages go out and come in.
#[derive(Debug, Clone)]
pub struct MessageSettings {
    /// Who takes them to customers.
    pub outgoing: Outgoing,
    /// With which the providers prove who they are that bring customers' messages.
    pub secrets: MessageSecrets,
}

/// Who takes messages to customers.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// Nobody: the log says that there were some.
    Log,
    /// Services, each its channel; nobody at all where there are none.
    By(Carriers),
}

impl MessageSettings {
    /// The settings of an installation with this directory of secrets.
    ///
    /// # Errors
    /// When a file cannot be read, or a service is named by half.
    pub(super) fn read(secrets: &Path) -> Result<Self> {
        Self::of(|variable| {
            let name = variable.trim_start_matches("HIBACHI_").to_lowercase();
            setting(secrets, &name.replace('_', "-"), variable)
        })
    }

    fn of(setting: impl Fn(&str) -> Result<Option<String>>) -> Result<Self> {
        let setting = |variable: &str| {
            let text = setting(variable)?;
            Ok::<_, anyhow::Error>(text.filter(|text| !text.trim().is_empty()))
        };
        let listed = |variable: &str| {
            Ok::<_, anyhow::Error>(SharedSecrets::parse(&setting(variable)?.unwrap_or_default()))
        };
        let secrets = MessageSecrets {
            meta: listed(META_SECRETS)?,
            meta_verify: listed(META_TOKENS)?,
            ringcentral: listed(RINGCENTRAL_TOKENS)?,
        };
        if secrets.meta.is_empty() && !secrets.meta_verify.is_empty() {
            bail!(
                "{META_TOKENS} is set and {META_SECRETS} is not: Meta would send, and nobody could tell that it is Meta"
            );
        }
        let outgoing = match setting(MESSAGES)?.as_deref().map(str::trim) {
            Some("log") => Outgoing::Log,
            Some(_) => bail!("{MESSAGES} is log, for messages that go nowhere, or is not set"),
            None => Outgoing::By(carriers(&setting)?),
        };
        Ok(Self { outgoing, secrets })
    }
}

/// The services that are named.
fn carriers(setting: &impl Fn(&str) -> Result<Option<String>>) -> Result<Carriers> {
    let mut carriers = Carriers::default();
    if let Some([url, from]) = all_or_none(setting, [SMTP_URL, SMTP_FROM])? {
        let setup = SmtpSetup::parse(&url, &from).context("HIBACHI_SMTP_*")?;
        carriers = carriers.and(Arc::new(Smtp::new(setup).context("HIBACHI_SMTP_*")?));
    }
    let named = [
        RINGCENTRAL_ID,
        RINGCENTRAL_SECRET,
        RINGCENTRAL_JWT,
        RINGCENTRAL_FROM,
    ];
    if let Some([id, secret, jwt, from]) = all_or_none(setting, named)? {
        let setup = RingCentralSetup {
            url: setting(RINGCENTRAL_URL)?.unwrap_or_else(|| RingCentralSetup::URL.to_owned()),
            client_id: credential(RINGCENTRAL_ID, &id)?,
            client_secret: credential(RINGCENTRAL_SECRET, &secret)?,
            jwt: credential(RINGCENTRAL_JWT, &jwt)?,
            from,
            timeout: RingCentralSetup::TIMEOUT,
        };
        carriers = carriers.and(Arc::new(
            RingCentral::new(setup).context("HIBACHI_RINGCENTRAL_*")?,
        ));
    }
    if let Some([token, phone]) = all_or_none(setting, [WHATSAPP_TOKEN, WHATSAPP_PHONE])? {
        let setup = WhatsappSetup {
            url: setting(WHATSAPP_URL)?.unwrap_or_else(|| WhatsappSetup::URL.to_owned()),
            token: credential(WHATSAPP_TOKEN, &token)?,
            phone_id: phone.trim().to_owned(),
            timeout: WhatsappSetup::TIMEOUT,
        };
        carriers = carriers.and(Arc::new(Whatsapp::new(setup).context("HIBACHI_WHATSAPP_*")?));
    }
    Ok(carriers)
}

pub(super) fn credential(variable: &str, text: &str) -> Result<Credential> {
    Credential::parse(text).with_context(|| format!("{variable} holds what no header can"))
}

/// Settings that come together or not at all.
pub(super) fn all_or_none<const N: usize>(
    setting: &impl Fn(&str) -> Result<Option<String>>,
    variables: [&str; N],
) -> Result<Option<[String; N]>> {
    let mut found = Vec::new();
    let mut missing = None;
    for variable in variables {
        match setting(variable)? {
            Some(text) => found.push(text),
            None => missing = Some(variable),
        }
    }
    match (found.is_empty(), missing) {
        (true, _) => Ok(None),
        (false, None) => Ok(found.try_into().ok()),
        (false, Some(missing)) => bail!(
            "{missing} is not set: {} come together or not at all",
            variables.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use commands::ports::MessageCarrier;
    use domain::message::MessageChannel;

    use super::*;

    fn of(settings: &[(&str, &str)]) -> Result<MessageSettings> {
        MessageSettings::of(|variable| {
            let found = settings.iter().find(|(name, _)| *name == variable);
            Ok(found.map(|(_, text)| (*text).to_owned()))
        })
    }

    fn channels(settings: &[(&str, &str)]) -> Vec<MessageChannel> {
        let Outgoing::By(carriers) = of(settings).unwrap().outgoing else {
            panic!("messages are logged")
        };
        let every = [
            MessageChannel::Email,
            MessageChannel::Sms,
            MessageChannel::Whatsapp,
        ];
        every
            .into_iter()
            .filter(|channel| carriers.carries(*channel))
            .collect()
    }

    const SMTP: [(&str, &str); 2] = [
        (SMTP_URL, "smtps://user:a_secret_of_ours@mail.example.com"),
        (SMTP_FROM, "Our Hibachi <hello@example.com>"),
    ];
    const RINGCENTRAL: [(&str, &str); 4] = [
        (RINGCENTRAL_ID, "id"),
        (RINGCENTRAL_SECRET, "a_secret_of_ours"),
        (RINGCENTRAL_JWT, "a_secret_of_ours"),
        (RINGCENTRAL_FROM, "+1 650 555 0100"),
    ];
    const WHATSAPP: [(&str, &str); 2] = [(WHATSAPP_TOKEN, "a_secret_of_ours"), (WHATSAPP_PHONE, "123")];

    #[test]
    fn a_channel_is_carried_whose_service_is_named_and_no_other() {
        assert_eq!(channels(&[]), []);
        assert_eq!(channels(&SMTP), [MessageChannel::Email]);
        assert_eq!(channels(&RINGCENTRAL), [MessageChannel::Sms]);
        let all = [&SMTP[..], &RINGCENTRAL, &WHATSAPP].concat();
        assert_eq!(channels(&all).len(), 3);
        let shown = format!("{:?}", of(&all).unwrap());
        assert!(!shown.contains("of_ours"), "{shown}");
    }

    #[test]
    fn messages_are_logged_only_where_that_is_said() {
        let logged =
            |word: &str| of(&[(MESSAGES, word)]).map(|settings| matches!(settings.outgoing, Outgoing::Log));
        assert!(logged("log").unwrap());
        assert!(!logged(" ").unwrap());
        assert!(logged("none").is_err());
    }

    #[test]
    fn what_is_named_by_half_stops_the_start_and_no_secret_is_told() {
        for half in [&SMTP[..1], &SMTP[1..], &RINGCENTRAL[..3], &WHATSAPP[..1]] {
            let told = format!("{:#}", of(half).unwrap_err());
            assert!(
                told.contains("come together") && !told.contains("of_ours"),
                "{told}"
            );
        }
        let open = [
            (SMTP_URL, "smtp://user:a_secret_of_ours@mail.example.com"),
            SMTP[1],
        ];
        let told = format!("{:#}", of(&open).unwrap_err());
        assert!(
            told.contains("tls=required") && !told.contains("of_ours"),
            "{told}"
        );
        assert!(of(&[(META_TOKENS, "vt")]).is_err());
        assert!(of(&[(META_TOKENS, "vt"), (META_SECRETS, "s")]).is_ok());
    }
}
