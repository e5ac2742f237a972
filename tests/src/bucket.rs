//! A double of S3 with one bucket, over real HTTP on the loopback interface: it checks each signature (SigV4), keeps, lists page
//! by page and deletes many at once, and does otherwise when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use commands::gateways::carriers::Credential;
use commands::gateways::{ObjectMedia, S3Setup};
use futures::stream;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const BUCKET: &str = "our-pictures";
const REGION: &str = "us-west-2";
const KEY_ID: &str = "a-key-of-the-double";
const SECRET: &str = "a-secret-of-the-double";
/// How many files a page of a list has.
const PAGE: usize = 2;
/// When everything was last changed, for the double.
const CHANGED: (&str, &str) = ("2026-02-10T18:00:00.000Z", "Tue, 10 Feb 2026 18:00:00 GMT");

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status, and nothing is done.
    Status(u16),
    /// It is done, and half of the answer comes.
    Cut,
    /// It is not answered in time.
    Late,
    /// Of many files to be deleted the first stays.
    OneStays,
}

impl Fault {
    /// Whether it can befall a request: its method, and whether it names a file.
    fn befalls(self, (method, names_a_file): (&Method, bool)) -> bool {
        match self {
            Self::Status(_) | Self::Late => true,
            Self::Cut => *method == Method::GET && names_a_file,
            Self::OneStays => *method == Method::POST,
        }
    }
}

#[derive(Default)]
struct Contents {
    files: BTreeMap<String, Bytes>,
    faults: VecDeque<Fault>,
    requests: Vec<String>,
}

/// The double.
#[derive(Clone)]
pub struct BucketDouble {
    address: SocketAddr,
    contents: Arc<Mutex<Contents>>,
}

impl BucketDouble {
    /// Starts one; it ends with the runtime that it is started in.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("the loopback interface has a free port");
        let double = Self {
            address: listener.local_addr().expect("a listener has an address"),
            contents: Arc::default(),
        };
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    /// A store in this bucket, below a folder.
    ///
    /// # Panics
    /// When the double's address is none.
    pub fn store(&self, prefix: &str) -> ObjectMedia {
        self.opened_with(SECRET, prefix)
    }

    /// A store whose secret the double does not know.
    ///
    /// # Panics
    /// When the double's address is none.
    pub fn store_of_a_stranger(&self) -> ObjectMedia {
        self.opened_with("another-secret", "")
    }

    fn opened_with(&self, secret: &str, prefix: &str) -> ObjectMedia {
        let credential = |text| Credential::parse(text).expect("a credential");
        let setup = S3Setup::of(BUCKET, REGION, credential(KEY_ID), credential(secret));
        let setup = setup.and_then(|setup| setup.at(&format!("http://{}", self.address)));
        let setup = setup.and_then(|setup| setup.below(prefix)).expect("a setup");
        let setup = setup.within(Duration::from_millis(400), Duration::from_secs(2));
        ObjectMedia::bucket(&setup).expect("a client")
    }

    /// What goes wrong with the next requests that it can befall, in their order.
    pub fn fail(&self, faults: &[Fault]) {
        self.contents().faults.extend(faults);
    }

    /// The names of the files that are there.
    pub fn names(&self) -> Vec<String> {
        self.contents().files.keys().cloned().collect()
    }

    /// What was asked so far: `GET /our-pictures`.
    pub fn requests(&self) -> Vec<String> {
        self.contents().requests.clone()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    State(double): State<BucketDouble>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = {
        let mut contents = double.contents();
        contents.requests.push(format!("{method} {}", uri.path()));
        if let Err(why) = signed(&method, &uri, &headers, &body) {
            return problem(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", why);
        }
        let asked = (&method, uri.path().len() > BUCKET.len() + 2);
        let next = contents.faults.iter().position(|fault| fault.befalls(asked));
        next.and_then(|next| contents.faults.remove(next))
    };
    match fault {
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return problem(status, "Told", "as it was told");
        }
        Some(Fault::Late) => tokio::time::sleep(Duration::from_secs(2)).await,
        Some(Fault::Cut | Fault::OneStays) | None => {}
    }
    if method != Method::GET && !headers.contains_key(header::CONTENT_LENGTH) {
        return problem(StatusCode::LENGTH_REQUIRED, "MissingContentLength", "no length");
    }
    let mut contents = double.contents();
    let below = uri
        .path()
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(BUCKET));
    let query = uri.query().unwrap_or_default();
    let Some(below) = below else {
        return problem(StatusCode::NOT_FOUND, "NoSuchBucket", "another bucket");
    };
    match (method.as_str(), below.trim_start_matches('/')) {
        ("GET", "") => list(&contents, query),
        ("POST", "") if query.starts_with("delete") => {
            delete(&mut contents, &headers, &body, fault == Some(Fault::OneStays))
        }
        ("PUT", name) if !name.is_empty() => {
            contents.files.insert(name.to_owned(), body);
            (StatusCode::OK, [(header::ETAG, "\"1\"")]).into_response()
        }
        ("GET", name) => match contents.files.get(name) {
            Some(file) => whole_or_cut(file, fault == Some(Fault::Cut)),
            None => problem(StatusCode::NOT_FOUND, "NoSuchKey", "no such file"),
        },
        _ => problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "no such request",
        ),
    }
}

fn whole_or_cut(file: &Bytes, cut: bool) -> Response {
    let length = file.len().to_string();
    let headers = [
        (header::ETAG, "\"1\""),
        (header::LAST_MODIFIED, CHANGED.1),
        (header::CONTENT_LENGTH, &length),
    ];
    if !cut {
        return (headers, file.clone()).into_response();
    }
    let half = file.slice(..file.len() / 2);
    let parts = [Ok(half), Err(io::Error::other("the line is cut"))];
    (headers, Body::from_stream(stream::iter(parts))).into_response()
}

fn list(contents: &Contents, query: &str) -> Response {
    let asked = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        found.map(|value| value.replace("%2F", "/")).next()
    };
    let prefix = asked("prefix").unwrap_or_default();
    let after = asked("continuation-token").unwrap_or_default();
    let there = || {
        let below = contents
            .files
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix));
        below.filter(|(name, _)| **name > after)
    };
    let mut xml = String::from("<ListBucketResult>");
    for (name, file) in there().take(PAGE) {
        write!(
            xml,
            "<Contents><Key>{name}</Key><Size>{}</Size><LastModified>{}</LastModified><ETag>1</ETag></Contents>",
            file.len(),
            CHANGED.0
        )
        .expect("a text takes more");
    }
    if let (true, Some((last, _))) = (there().count() > PAGE, there().take(PAGE).last()) {
        write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").expect("a text takes more");
    }
    xml.push_str("</ListBucketResult>");
    xml.into_response()
}

fn delete(contents: &mut Contents, headers: &HeaderMap, body: &Bytes, one_stays: bool) -> Response {
    if !headers.contains_key("content-md5") {
        return problem(StatusCode::BAD_REQUEST, "InvalidRequest", "no Content-MD5");
    }
    let asked = String::from_utf8_lossy(body).into_owned();
    let names = asked
        .split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</Key>"));
    let mut xml = String::from("<DeleteResult>");
    for (number, (name, _)) in names.enumerate() {
        let told = if one_stays && number == 0 {
            format!("<Error><Key>{name}</Key><Code>AccessDenied</Code><Message>it stays</Message></Error>")
        } else {
            contents.files.remove(name);
            format!("<Deleted><Key>{name}</Key></Deleted>")
        };
        xml.push_str(&told);
    }
    xml.push_str("</DeleteResult>");
    xml.into_response()
}

fn problem(status: StatusCode, code: &str, why: &str) -> Response {
    let told = format!("<Error><Code>{code}</Code><Message>{why}</Message></Error>");
    (status, told).into_response()
}

/// Checks a signature (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
fn signed(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization").ok_or("no authorization")?;
    let parts = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or("another scheme")?;
    let part = |name: &str| {
        let mut parts = parts.split(',').filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let at = header("x-amz-date")
        .filter(|at| at.len() == 16)
        .ok_or("no date")?;
    let day = at.get(..8).ok_or("no day")?;
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    if part("Credential") != Some(&format!("{KEY_ID}/{scope}")) {
        return Err("another credential");
    }
    let digest = hex::encode(Sha256::digest(body));
    if header("x-amz-content-sha256") != Some(&digest) {
        return Err("another body");
    }
    let names = part("SignedHeaders").ok_or("no headers are signed")?;
    for needed in ["host", "x-amz-content-sha256", "x-amz-date"] {
        if !names.split(';').any(|name| name == needed) {
            return Err("a header is not signed");
        }
    }
    let values = names
        .split(';')
        .map(|name| format!("{name}:{}\n", header(name).unwrap_or_default().trim()));
    let values: String = values.collect();
    let mut pairs: Vec<String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .map(str::to_owned)
        .collect();
    pairs.sort();
    let pairs = pairs.into_iter().filter(|pair| !pair.is_empty());
    let pairs: Vec<String> = pairs
        .map(|pair| if pair.contains('=') { pair } else { pair + "=" })
        .collect();
    let asked = format!(
        "{method}\n{}\n{}\n{values}\n{names}\n{digest}",
        uri.path(),
        pairs.join("&")
    );
    let asked = hex::encode(Sha256::digest(asked));
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{asked}");
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for word in [day, REGION, "s3", "aws4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "no key")?;
        mac.update(word.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    match part("Signature") {
        Some(signature) if signature == hex::encode(key) => Ok(()),
        _ => Err("another signature"),
    }
}
