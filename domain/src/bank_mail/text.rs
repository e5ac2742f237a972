//! The text of a mail: headers, and what a person would read of the body (RFC 822 and what of MIME banks use).

use chrono::{DateTime, Utc};

/// How many parts of a mail are looked at, inside each other and beside each other.
const PARTS: usize = 16;

/// A mail, as far as it is looked at.
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) subject: String,
    pub(super) sent_at: Option<DateTime<Utc>>,
    /// Its words, with one space between them.
    pub(super) body: String,
}

impl Mail {
    pub(super) fn read(mail: &str) -> Self {
        let mail = mail.replace("\r\n", "\n");
        let (headers, body) = split(&mail);
        let date = header(&headers, "date").and_then(|date| DateTime::parse_from_rfc2822(date.trim()).ok());
        let mut parts = PARTS;
        Self {
            from: header(&headers, "from").unwrap_or_default(),
            subject: spaced(&header(&headers, "subject").unwrap_or_default()),
            sent_at: date.map(|date| date.with_timezone(&Utc)),
            body: spaced(&readable(&headers, body, &mut parts)),
        }
    }
}

type Headers = Vec<(String, String)>;

/// Headers, with continued lines joined, and the body; a text without headers is all body.
fn split(text: &str) -> (Headers, &str) {
    let Some((head, body)) = text.split_once("\n\n") else {
        return (Vec::new(), text);
    };
    let mut headers: Headers = Vec::new();
    for line in head.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        match line.split_once(':') {
            Some((name, value)) if !name.is_empty() && !name.contains(' ') => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            Some(_) | None => return (Vec::new(), text),
        }
    }
    (headers, body)
}

fn header(headers: &Headers, name: &str) -> Option<String> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone())
}

/// What a person would read of a part: of alternatives the plain text, else what the HTML says.
fn readable(headers: &Headers, body: &str, parts: &mut usize) -> String {
    if *parts == 0 {
        return String::new();
    }
    *parts -= 1;
    let kind = header(headers, "content-type").unwrap_or_default();
    let lower = kind.to_ascii_lowercase();
    if lower.starts_with("multipart/") {
        return match boundary(&kind) {
            Some(boundary) => alternatives(body, &boundary, parts),
            None => String::new(),
        };
    }
    if !lower.is_empty() && !lower.starts_with("text/") {
        return String::new();
    }
    let encoding = header(headers, "content-transfer-encoding").unwrap_or_default();
    let text = match encoding.to_ascii_lowercase().trim() {
        "quoted-printable" => quoted_printable(body),
        "base64" => base64(body),
        _ => body.to_owned(),
    };
    if lower.starts_with("text/html") || text.trim_start().starts_with('<') {
        without_tags(&text)
    } else {
        text
    }
}

fn boundary(kind: &str) -> Option<String> {
    let at = kind.to_ascii_lowercase().find("boundary=")? + "boundary=".len();
    let rest = &kind[at..];
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([';', ' ']).next()?,
    };
    (!value.is_empty()).then(|| value.to_owned())
}

fn alternatives(body: &str, boundary: &str, parts: &mut usize) -> String {
    let line = format!("--{boundary}");
    let mut found = Vec::new();
    for part in body.split(line.as_str()).skip(1).take(PARTS) {
        if part.starts_with("--") {
            break;
        }
        let (headers, body) = split(part.trim_start_matches('\n'));
        let plain = header(&headers, "content-type")
            .is_none_or(|kind| kind.to_ascii_lowercase().starts_with("text/plain"));
        let text = readable(&headers, body, parts);
        if !text.trim().is_empty() {
            found.push((plain, text));
        }
    }
    let plain = found.iter().position(|(plain, _)| *plain).unwrap_or(0);
    if plain < found.len() {
        found.swap_remove(plain).1
    } else {
        String::new()
    }
}

fn quoted_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let joined = text.replace("=\n", "");
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = (*first == b'=').then(|| after.get(..2)).flatten();
        let value = pair.and_then(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?));
        match value {
            Some(value) => {
                bytes.push(value);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn base64(text: &str) -> String {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0);
    for six in text.bytes().filter_map(value) {
        bits = (bits << 6 | six) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.extend(u8::try_from((bits >> held) & 0xff));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The words of HTML: without tags, styles and scripts, with the entities that banks use.
fn without_tags(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let mut text = String::with_capacity(html.len());
    let mut at = 0;
    while let Some(open) = html[at..].find('<').map(|found| at + found) {
        text.push_str(&html[at..open]);
        text.push(' ');
        let hidden = ["style", "script"]
            .into_iter()
            .find(|name| lower[open + 1..].starts_with(name));
        let close = match hidden {
            Some(name) => {
                let end = lower[open..].find(&format!("</{name}"));
                end.map_or(html.len(), |found| open + found)
            }
            None => open,
        };
        at = html[close..]
            .find('>')
            .map_or(html.len(), |found| close + found + 1);
    }
    text.push_str(&html[at..]);
    let entities = [
        ("&nbsp;", " "),
        ("&#36;", "$"),
        ("&reg;", ""),
        ("&#174;", ""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text, |text, (entity, letter)| text.replace(entity, letter))
}

fn spaced(text: &str) -> String {
    text.replace(['\u{ae}', '\u{a0}'], " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
