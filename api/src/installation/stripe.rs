//! Settings of the payment provider: from the environment, else from the directory of secrets, else there are none.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use commands::gateways::stripe::{StripeKey, StripeSetup, WebhookSecrets};

/// The account's secret key.
const KEY: &str = "HIBACHI_STRIPE_KEY";
/// Where the API is, where it is not at the provider's own address.
const URL: &str = "HIBACHI_STRIPE_URL";
/// Secrets that webhooks are signed with, separated by commas or white space.
const WEBHOOK_SECRETS: &str = "HIBACHI_STRIPE_WEBHOOK_SECRETS";

/// How cards are charged.
#[derive(Debug, Clone, Default)]
pub struct StripeSettings {
    /// How the provider is reached; no card is charged where absent.
    pub setup: Option<StripeSetup>,
    /// With which the provider signs what it sends.
    pub webhook_secrets: WebhookSecrets,
}

impl StripeSettings {
    /// The settings of an installation with this directory of secrets.
    ///
    /// # Errors
    /// When a file cannot be read, the address is none, or cards would be charged without anybody hearing of it.
    pub(super) fn read(secrets: &Path) -> Result<Self> {
        let key = setting(secrets, "stripe-key", KEY)?;
        let listed = setting(secrets, "stripe-webhook-secrets", WEBHOOK_SECRETS)?;
        let url = std::env::var(URL).ok();
        Self::of(key.as_deref(), listed.as_deref(), url.as_deref())
    }

    fn of(key: Option<&str>, listed: Option<&str>, url: Option<&str>) -> Result<Self> {
        let webhook_secrets = WebhookSecrets::parse(listed.unwrap_or_default());
        let setup = match key.and_then(StripeKey::parse) {
            Some(key) => {
                let url = url.unwrap_or(StripeSetup::URL);
                Some(StripeSetup::at(key, url).with_context(|| format!("{URL} must be an address"))?)
            }
            None => None,
        };
        if setup.is_some() && webhook_secrets.is_empty() {
            bail!(
                "{KEY} is set and {WEBHOOK_SECRETS} is not: cards would be charged, and nobody would hear of it"
            );
        }
        Ok(Self {
            setup,
            webhook_secrets,
        })
    }
}

/// A setting of the environment, else of a file in the directory of secrets.
pub(super) fn setting(secrets: &Path, name: &str, variable: &str) -> Result<Option<String>> {
    if let Ok(text) = std::env::var(variable) {
        return Ok(Some(text));
    }
    let path = secrets.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_with_secrets_and_an_address_or_not_at_all() {
        let none = StripeSettings::of(None, None, None).unwrap();
        assert!(none.setup.is_none() && none.webhook_secrets.is_empty());
        assert!(
            StripeSettings::of(Some("  "), None, None)
                .unwrap()
                .setup
                .is_none()
        );
        assert!(StripeSettings::of(Some("sk"), None, None).is_err());
        assert!(StripeSettings::of(Some("sk"), Some("whsec"), Some("no address")).is_err());
        let both = StripeSettings::of(Some("sk_1\n"), Some("whsec_1 whsec_2"), None).unwrap();
        assert_eq!(both.setup.unwrap().url.as_str(), "https://api.stripe.com/");
        assert!(!both.webhook_secrets.is_empty());
    }

    #[test]
    fn what_the_environment_does_not_say_a_file_may() {
        let directory = tempfile::tempdir().unwrap();
        let read = || setting(directory.path(), "stripe-key", "HIBACHI_NOT_SET_ANYWHERE").unwrap();
        assert_eq!(read(), None);
        fs::write(directory.path().join("stripe-key"), "sk_1\n").unwrap();
        assert_eq!(read().as_deref(), Some("sk_1\n"));
    }
}
