//! Customers' files in a bucket that speaks S3. Requests go out by the client that the other services are asked with.

use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::{Body, Client, Request, Url, redirect};

use crate::gateways::carriers::{Credential, is_here};

/// The largest answer that is read, in bytes: the largest video, and room beside it.
const LARGEST: usize = 64 << 20;

/// How to reach a bucket.
#[derive(Debug, Clone)]
pub struct S3Setup {
    bucket: String,
    region: String,
    key_id: Credential,
    secret: Credential,
    endpoint: Option<Url>,
    prefix: Path,
    timeout: Duration,
    patience: Duration,
}

/// What a bucket was named by that cannot be used. Nothing of what was given is repeated: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum S3SetupError {
    /// No bucket is called like that.
    #[error("the bucket's name is 3 to 63 small letters, digits, dots and dashes")]
    Bucket,
    /// No region is called like that.
    #[error("the region is small letters, digits and dashes")]
    Region,
    /// The address is none that files may be sent to.
    #[error("the address is https and has neither user nor question; http only on this machine")]
    Endpoint,
    /// No folder is called like that.
    #[error("the folder has names with single slashes between")]
    Prefix,
}

impl S3Setup {
    /// How long one request may take, where nobody has said otherwise: a video of 50 MB over a slow line.
    pub const TIMEOUT: Duration = Duration::from_secs(60);
    /// How long a request is tried again, where nobody has said otherwise.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// The bucket of a name in a region, with the key of an account that may read, write, list and delete in it.
    ///
    /// # Errors
    /// For a name that no bucket or region has.
    pub fn of(
        bucket: &str,
        region: &str,
        key_id: Credential,
        secret: Credential,
    ) -> Result<Self, S3SetupError> {
        let (bucket, region) = (bucket.trim(), region.trim());
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let ends = bucket.starts_with(['-', '.']) || bucket.ends_with(['-', '.']) || bucket.contains("..");
        let named = bucket.chars().all(|letter| plain(letter) || letter == '.');
        if ends || !named || !(3..=63).contains(&bucket.len()) {
            return Err(S3SetupError::Bucket);
        }
        if region.is_empty() || !region.chars().all(plain) {
            return Err(S3SetupError::Region);
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            region: region.to_owned(),
            key_id,
            secret,
            endpoint: None,
            prefix: Path::default(),
            timeout: Self::TIMEOUT,
            patience: Self::PATIENCE,
        })
    }

    /// The same at an address of another than Amazon, to which the bucket's name is put as a folder.
    ///
    /// # Errors
    /// For what is no address, and for one elsewhere without TLS.
    pub fn at(self, endpoint: &str) -> Result<Self, S3SetupError> {
        let url = Url::parse(endpoint.trim()).map_err(|_| S3SetupError::Endpoint)?;
        let here = url.host_str().is_some_and(is_here);
        let safe = url.scheme() == "https" || (here && url.scheme() == "http");
        let bare = url.username().is_empty() && url.password().is_none();
        if !safe || !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(S3SetupError::Endpoint);
        }
        Ok(Self {
            endpoint: Some(url),
            ..self
        })
    }

    /// The same below a folder of the bucket.
    ///
    /// # Errors
    /// For what is no folder.
    pub fn below(self, prefix: &str) -> Result<Self, S3SetupError> {
        let prefix = Path::parse(prefix.trim()).map_err(|_| S3SetupError::Prefix)?;
        Ok(Self { prefix, ..self })
    }

    /// The same with other limits: how long one request may take, and how long it is tried again after it failed.
    #[must_use]
    pub fn within(self, timeout: Duration, patience: Duration) -> Self {
        Self {
            timeout,
            patience,
            ..self
        }
    }

    /// The folder that all files are in.
    pub(super) fn prefix(&self) -> Path {
        self.prefix.clone()
    }

    /// A client of the bucket. It connects with the first file.
    pub(super) fn open(&self) -> object_store::Result<AmazonS3> {
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(self.key_id.reveal())
            .with_secret_access_key(self.secret.reveal())
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: 3,
                retry_timeout: self.patience,
            });
        let endpoint = self.endpoint.as_ref();
        let here = endpoint.is_some_and(|url| url.host_str().is_some_and(is_here));
        let connector = Connector {
            timeout: self.timeout,
            here,
        };
        let builder = match endpoint {
            Some(url) => builder.with_endpoint(url.as_str()).with_allow_http(here),
            None => builder,
        };
        builder.with_http_connector(connector).build()
    }
}

/// Makes the client that requests go out by.
#[derive(Debug)]
struct Connector {
    timeout: Duration,
    /// Whether it is this machine that is asked.
    here: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = Client::builder()
            .timeout(self.timeout)
            .connect_timeout(self.timeout)
            .redirect(redirect::Policy::none())
            .user_agent("hibachi");
        let client = if self.here { client.no_proxy() } else { client };
        match client.build() {
            Ok(client) => Ok(HttpClient::new(Requests(client))),
            Err(error) => Err(object_store::Error::Generic {
                store: "S3",
                source: Box::new(error),
            }),
        }
    }
}

#[derive(Debug)]
struct Requests(Client);

#[async_trait]
impl HttpService for Requests {
    /// An answer is whole or an error: it is read before it is passed on.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string());
        let url = url.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        // Of what is in one piece the length is said, which S3 asks for.
        *request.body_mut() = Some(match body.as_bytes() {
            Some(bytes) => Body::from(bytes.clone()),
            None => Body::wrap(body),
        });
        let mut answer = self.0.execute(request).await.map_err(failed)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > LARGEST {
                return Err(HttpError::new(HttpErrorKind::Decode, TooLarge));
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(HttpResponseBody::from(bytes));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than any file that is kept")]
struct TooLarge;

/// What went wrong on the way. Every request is one that may be sent again: a file is kept under the hash of its bytes.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(bucket: &str, region: &str) -> Result<S3Setup, S3SetupError> {
        let credential = || Credential::parse("a_secret_of_ours").unwrap();
        S3Setup::of(bucket, region, credential(), credential())
    }

    #[test]
    fn a_bucket_has_a_name_and_a_region_and_no_secret_is_shown() {
        let good = setup("our-pictures.example", "us-west-2").unwrap();
        assert!(good.open().is_ok());
        assert!(!format!("{good:?}").contains("of_ours"));
        let long = "x".repeat(64);
        for bad in ["", "ab", "Our-Pictures", "-pictures", "pic..tures", "a/b", &long] {
            assert_eq!(
                setup(bad, "us-west-2").unwrap_err(),
                S3SetupError::Bucket,
                "{bad}"
            );
        }
        for bad in ["", "US West", "eu/1"] {
            assert_eq!(setup("pictures", bad).unwrap_err(), S3SetupError::Region, "{bad}");
        }
        assert!(good.clone().below("/hibachi/media/").is_ok());
        assert_eq!(good.below("a//b").unwrap_err(), S3SetupError::Prefix);
    }

    #[test]
    fn files_go_only_to_https_or_to_this_machine() {
        let good = setup("pictures", "us-west-2").unwrap();
        for address in [
            "https://s3.example.com",
            "http://127.0.0.1:9000",
            "http://localhost:9000/",
        ] {
            assert!(good.clone().at(address).unwrap().open().is_ok(), "{address}");
        }
        for bad in [
            "http://s3.example.com",
            "https://user:password@s3.example.com",
            "https://s3.example.com/?x=1",
            "s3.example.com",
            "ftp://127.0.0.1",
        ] {
            assert_eq!(good.clone().at(bad).unwrap_err(), S3SetupError::Endpoint, "{bad}");
        }
    }
}
