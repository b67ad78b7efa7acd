//! How often whoever asks for tokens may fail to prove who it is. A door that is shut is shut for the right secret, too, or it would go
//! on telling right from wrong. Nobody shuts a client out from elsewhere: what is counted is a client at an address.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::ClientId;

use super::counts::{Bound, Counts};

/// Failures under one client's name from one address.
const OF_CLIENT: Bound = Bound { most: 10, within: TimeDelta::minutes(1) };
/// Failures from one address, whatever the name.
const OF_ADDRESS: Bound = Bound { most: 60, within: TimeDelta::minutes(1) };

#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Client(ClientId, Option<IpAddr>),
    Address(Option<IpAddr>),
}

/// The failures of this process.
#[derive(Default)]
pub(super) struct Knocks(Counts<Place>);

impl Knocks {
    /// In how many seconds who knocks may try again; nothing when it may now.
    pub(super) fn shut_for(
        &self,
        stated: Option<ClientId>,
        origin: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Option<u64> {
        places(stated, origin).filter_map(|(place, bound)| self.0.shut_for(&place, bound, now)).max()
    }

    pub(super) fn failed(&self, stated: Option<ClientId>, origin: Option<IpAddr>, now: DateTime<Utc>) {
        for (place, bound) in places(stated, origin) {
            self.0.count(&place, bound, now);
        }
    }
}

fn places(stated: Option<ClientId>, origin: Option<IpAddr>) -> impl Iterator<Item = (Place, &'static Bound)> {
    let network = origin.map(network);
    let of_client = stated.map(|client| (Place::Client(client, network), &OF_CLIENT));
    of_client.into_iter().chain([(Place::Address(network), &OF_ADDRESS)])
}

/// One house has all addresses of an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn failures_are_counted_by_client_and_address_and_by_address() {
        let (knocks, now) = (Knocks::default(), DateTime::UNIX_EPOCH);
        let client = |number| Some(ClientId::from(Uuid::from_u128(number)));
        let (here, elsewhere) = (address("2001:db8::1"), address("2001:db8:0:1::1"));
        for _ in 0..10 {
            assert_eq!(knocks.shut_for(client(1), here, now), None);
            knocks.failed(client(1), here, now);
        }
        assert_eq!(knocks.shut_for(client(1), here, now), Some(60));
        assert_eq!(knocks.shut_for(client(1), address("2001:db8::2"), now), Some(60), "the same house");
        assert_eq!(knocks.shut_for(client(1), elsewhere, now), None);
        assert_eq!(knocks.shut_for(client(2), here, now), None);
        for number in 2..52 {
            knocks.failed(client(number), here, now + TimeDelta::seconds(30));
        }
        assert_eq!(knocks.shut_for(client(99), here, now + TimeDelta::seconds(30)), Some(30));
        assert_eq!(knocks.shut_for(None, here, now + TimeDelta::seconds(30)), Some(30));
        assert_eq!(knocks.shut_for(client(1), here, now + TimeDelta::seconds(60)), None);
    }
}
