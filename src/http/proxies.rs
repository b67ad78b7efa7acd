//! Which end of a connection a request comes from: behind proxies that are trusted the one that they name, else the connection's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks of the proxies whose word is taken.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// The address of whoever asks. Each trusted proxy appends to `X-Forwarded-For` the address that it was asked from, so the list
    /// is read from its end, to the first address that is no trusted proxy's: what stands before it may be anybody's invention.
    /// Where an entry is no address, the proxy that wrote it is the last that is known.
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
        for line in lines {
            for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
                if !self.trusts(known) {
                    return known;
                }
                let Some(address) = std::str::from_utf8(entry).ok().and_then(address) else { return known };
                known = address;
            }
        }
        known
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address as proxies write it: bare, with a port, in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn origin(peer: &str, lines: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let header = HeaderName::from_static(FORWARDED_FOR);
        let headers = lines.iter().map(|line| (header.clone(), HeaderValue::from_str(line).unwrap()));
        let mut map = HeaderMap::new();
        map.extend(headers);
        Proxies::new(networks.into()).origin(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn who_is_not_trusted_is_not_believed() {
        assert_eq!(origin("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(origin("203.0.113.9", &["198.51.100.1, 10.0.0.2", "10.0.0.3"]), "203.0.113.9");
        let nobody = Proxies::default();
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(FORWARDED_FOR),
            HeaderValue::from_static("1.1.1.1"),
        )]);
        assert_eq!(nobody.origin("127.0.0.1".parse().unwrap(), &headers).to_string(), "127.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_names_the_last_that_is_not_one() {
        for (lines, expected) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["198.51.100.1, 10.0.0.2, 10.0.0.3"], "198.51.100.1"),
            (&["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            (&["8.8.8.8, 198.51.100.1"], "198.51.100.1"),
            (&["8.8.8.8", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (&["10.0.0.9, 198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::1]:4711, fd00::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
            (&["10.0.0.2"], "10.0.0.2"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(origin("10.0.0.1", lines), expected, "{lines:?}");
            assert_eq!(origin("::ffff:10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn garbage_ends_what_is_known() {
        for line in
            ["", "unknown", "198.51.100.1, _hidden", "198.51.100.1,", "198.51.100.1; 10.0.0.2", "999.1.1.1"]
        {
            assert_eq!(origin("10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
        assert_eq!(origin("10.0.0.1", &["198.51.100.1, x, 10.0.0.2"]), "10.0.0.2");
    }
}
