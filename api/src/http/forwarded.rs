//! Where a request comes from, behind proxies: what they say in `Forwarded` (RFC 7239) or `X-Forwarded-For`. Everybody can
//! send these headers; so the word of a proxy that is named as trusted counts, of those addresses the rightmost that is no
//! such proxy's, and nothing that stands left of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{REQUEST_ID, failure, text_header};
use crate::app::App;
use crate::http::Edge;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request comes from, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// The two headers tell of two clients: one of them was made up by somebody whom the proxy has let through.
#[derive(Debug, PartialEq, Eq)]
struct Contradiction;

/// Finds out where a request comes from, before anything is done for it.
pub(super) async fn arrived(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(peer) = peer.map(|ConnectInfo(peer)| peer.ip()) else {
        return next.run(request).await;
    };
    match client(&app.edge, peer, request.headers()) {
        Ok(address) => {
            request.extensions_mut().insert(ClientAddress(address));
            next.run(request).await
        }
        Err(Contradiction) => {
            let request_id = text_header(request.headers(), &REQUEST_ID).unwrap_or_default();
            let told = "Forwarded and X-Forwarded-For tell of two clients; send neither";
            failure(StatusCode::BAD_REQUEST, "BAD_REQUEST", told, request_id).into_response()
        }
    }
}

/// The client of a request that came from a peer.
fn client(edge: &Edge, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Contradiction> {
    let peer = peer.to_canonical();
    if !edge.trusts(peer) {
        return Ok(peer);
    }
    let by = |name: HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers
            .contains_key(&name)
            .then(|| outermost(edge, peer, headers, &name, read))
    };
    // A proxy that writes one of them and lets the other through would else be spoken for by anybody.
    match (by(header::FORWARDED, for_of), by(X_FORWARDED_FOR, address)) {
        (None, None) => Ok(peer),
        (Some(client), None) | (None, Some(client)) => Ok(client),
        (Some(one), Some(other)) if one == other => Ok(one),
        (Some(_), Some(_)) => Err(Contradiction),
    }
}

/// The rightmost address of a list that is not a trusted proxy's. What is no address is not looked past.
fn outermost(
    edge: &Edge,
    peer: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    read: fn(&str) -> Option<IpAddr>,
) -> IpAddr {
    let mut known = peer;
    for line in headers.get_all(name).iter().rev() {
        let Ok(line) = line.to_str() else { return known };
        for element in line.rsplit(',') {
            let Some(said) = read(element.trim()) else {
                return known;
            };
            known = said;
            if !edge.trusts(known) {
                return known;
            }
        }
    }
    known
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let found = bare
        .unwrap_or(text)
        .parse::<IpAddr>()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(found.to_canonical())
}

/// The address of an element of `Forwarded`: `for="[2001:db8::1]:4711";proto=https`.
fn for_of(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn edge(proxies: &[&str]) -> Edge {
        Edge {
            trusted_proxies: proxies.iter().map(|network| network.parse().unwrap()).collect(),
            ..Edge::default()
        }
    }

    fn found(proxies: &[&str], peer: &str, lines: &[(&'static str, &str)]) -> Result<String, Contradiction> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let client = client(&edge(proxies), peer.parse().unwrap(), &headers)?;
        Ok(client.to_string())
    }

    fn x(value: &str) -> (&'static str, &str) {
        ("x-forwarded-for", value)
    }

    fn f(value: &str) -> (&'static str, &str) {
        ("forwarded", value)
    }

    #[test]
    fn nobodys_word_is_taken_but_a_trusted_proxys() {
        let told = |proxies: &[&str], peer: &str, line| found(proxies, peer, &[line]).unwrap();
        assert_eq!(told(&[], "10.0.0.1", x("192.0.2.1")), "10.0.0.1");
        assert_eq!(
            told(&["10.0.0.0/8"], "203.0.113.5", x("192.0.2.1")),
            "203.0.113.5"
        );
        assert_eq!(told(&["10.0.0.0/8"], "10.0.0.1", x("192.0.2.1")), "192.0.2.1");
        assert_eq!(
            told(&["10.0.0.0/8"], "::ffff:10.0.0.1", x("192.0.2.1:4711")),
            "192.0.2.1"
        );
        assert_eq!(
            told(
                &["10.0.0.0/8"],
                "10.0.0.1",
                f("for=\"[2001:db8::1]:4711\";proto=https")
            ),
            "2001:db8::1"
        );
    }

    #[test]
    fn what_stands_left_of_the_first_stranger_is_made_up() {
        let told = |line| found(&["10.0.0.0/8"], "10.0.0.1", &[line]).unwrap();
        assert_eq!(told(x("198.51.100.1, 192.0.2.1, 10.0.0.2")), "192.0.2.1");
        assert_eq!(
            told(f("for=198.51.100.1, For=192.0.2.1;by=10.0.0.3, for=10.0.0.2")),
            "192.0.2.1"
        );
        assert_eq!(told(x("10.0.0.9, 10.0.0.2")), "10.0.0.9");
        assert_eq!(told(x("192.0.2.1, unknown")), "10.0.0.1");
        assert_eq!(told(f("for=192.0.2.1, for=_hidden, for=10.0.0.2")), "10.0.0.2");
        assert_eq!(told(x("nonsense")), "10.0.0.1");
        let two = found(&["10.0.0.0/8"], "10.0.0.1", &[x("198.51.100.1"), x("192.0.2.1")]);
        assert_eq!(two.unwrap(), "192.0.2.1", "the last line is the nearest proxy's");
    }

    #[test]
    fn two_headers_that_tell_of_two_clients_are_refused() {
        let both = |one, other| found(&["10.0.0.0/8"], "10.0.0.1", &[one, other]);
        assert_eq!(both(x("192.0.2.1"), f("for=192.0.2.1")).unwrap(), "192.0.2.1");
        assert_eq!(both(x("192.0.2.1"), f("for=198.51.100.1")), Err(Contradiction));
    }
}
