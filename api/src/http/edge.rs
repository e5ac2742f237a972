//! What stands between the program and its clients: proxies in front of it, and pages of other hosts that may ask it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;

/// What the program is told of what stands between it and its clients. Nothing is taken for granted: without proxies that are
/// named here nobody's word is taken for where a request comes from, and without origins no other host's page may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// Pages of other hosts that may ask from a browser.
    pub cors_origins: Vec<PageOrigin>,
    /// Proxies whose word is taken for where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// How clients reach it.
    pub transport: Transport,
}

impl Edge {
    /// Whether an address is that of a proxy whose word is taken.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.holds(address))
    }
}

/// How clients reach the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// As it listens: without TLS.
    #[default]
    Plain,
    /// Over TLS, which ends before it: its public address says so.
    Tls,
}

impl Transport {
    /// How clients come to a public address.
    pub fn of(public_url: &str) -> Self {
        let scheme = public_url.split_once("://").map(|(scheme, _)| scheme);
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) {
            Self::Tls
        } else {
            Self::Plain
        }
    }
}

/// Where a page is from, as a browser says it in `Origin`: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOrigin(String);

/// Not where a page could be from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin: scheme and host as a browser sends them, such as https://www.example.com, without a path"
)]
pub struct BadOrigin(String);

impl PageOrigin {
    /// The text that a browser sends.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PageOrigin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let bad = || BadOrigin(text.to_owned());
        let url = Url::parse(text).map_err(|_| bad())?;
        let web = ["http", "https"].contains(&url.scheme());
        // What a browser sends is compared letter by letter: no letter stands for others.
        if web && !text.contains('*') && url.origin().ascii_serialization() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}

/// A network of addresses, as `10.0.0.0/8`; an address alone is a network of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// Not a network of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNetwork {
    /// Not an address with a length.
    #[error("{0:?} is no network: an address, or one with a length, such as 10.0.0.0/8 or fd00::/8")]
    Unreadable(String),
    /// The address has more bits than the length leaves to it.
    #[error("{0} has bits beyond its length; is {1} meant?")]
    BitsBeyond(String, String),
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let unreadable = || BadNetwork::Unreadable(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let longest = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix.parse().map_err(|_| unreadable())?,
        };
        if prefix > longest {
            return Err(unreadable());
        }
        let network = masked(address, prefix);
        if network != address {
            return Err(BadNetwork::BitsBeyond(
                text.to_owned(),
                format!("{network}/{prefix}"),
            ));
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

/// The first bits of an address, and zeros.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends_and_nothing_else() {
        for good in [
            "https://www.example.com",
            "http://127.0.0.1:3000",
            "https://example.com:8443",
        ] {
            assert_eq!(good.parse::<PageOrigin>().unwrap().as_str(), good);
        }
        for bad in [
            "*",
            "null",
            "",
            "example.com",
            "https://example.com/",
            "https://example.com/page",
            "https://example.com:443",
            "https://Example.com",
            "https://*.example.com",
            "ftp://example.com",
        ] {
            assert!(bad.parse::<PageOrigin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let holds = |text: &str, address: &str| network(text).holds(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.3.4") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe80::1"));
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0/8",
            "example.com",
            "10.0.0.0/-1",
        ] {
            let refused = bad.parse::<Network>();
            assert!(matches!(refused, Err(BadNetwork::Unreadable(_))), "{bad}");
        }
        let told = "10.1.2.3/8".parse::<Network>().unwrap_err().to_string();
        assert_eq!(
            told,
            "10.1.2.3/8 has bits beyond its length; is 10.0.0.0/8 meant?"
        );
    }

    #[test]
    fn an_address_says_whether_it_is_behind_tls() {
        assert_eq!(Transport::of("https://book.example.com"), Transport::Tls);
        assert_eq!(Transport::of("http://127.0.0.1:8080"), Transport::Plain);
    }
}
