//! The networks of proxies whose word on a client's certificate is taken.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedNetwork {
    address: IpAddr,
    prefix: u8,
}

/// Why a network is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidNetwork {
    /// It is of another form.
    #[error("it is neither an address nor a network")]
    Form,
    /// Bits behind the prefix are set: another network was meant, or another prefix.
    #[error("its address has bits behind its prefix; the network would be {0}")]
    HostBits(TrustedNetwork),
    /// It is so wide that strangers are in it.
    #[error("so wide a network would let strangers speak for any client")]
    TooWide,
    /// An address of IPv4 that is written as one of IPv6.
    #[error("write it as a network of IPv4")]
    Mapped,
}

/// The widest networks that one operator has to herself: 10.0.0.0/8, and fc00::/7.
const WIDEST_V4: u8 = 8;
const WIDEST_V6: u8 = 7;

impl TrustedNetwork {
    /// Whether the address is one of it. Addresses come in their canonical form.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

/// The address with nothing behind the prefix.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

impl FromStr for TrustedNetwork {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Form)?;
        let (most, widest) = if address.is_ipv4() { (32, WIDEST_V4) } else { (128, WIDEST_V6) };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= most).ok_or(InvalidNetwork::Form)?
            }
            Some(_) => return Err(InvalidNetwork::Form),
        };
        if address.to_canonical() != address {
            return Err(InvalidNetwork::Mapped);
        }
        if prefix < widest {
            return Err(InvalidNetwork::TooWide);
        }
        let network = Self { address: masked(address, prefix), prefix };
        if network.address == address {
            Ok(network)
        } else {
            Err(InvalidNetwork::HostBits(network))
        }
    }
}

impl fmt::Display for TrustedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        for (network, address, within) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.4/30", "192.0.2.7", true),
            ("192.0.2.4/30", "192.0.2.8", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("::1", "127.0.0.1", false),
            ("127.0.0.1", "::1", false),
        ] {
            let network: TrustedNetwork = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), within, "{network} {address}");
        }
    }

    #[test]
    fn sm_06_everybody_is_no_proxy() {
        use InvalidNetwork::*;
        for wide in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "16.0.0.0/7", "2000::/3"] {
            assert_eq!(wide.parse::<TrustedNetwork>(), Err(TooWide), "{wide}");
        }
        for mapped in ["::ffff:0.0.0.0/96", "::ffff:10.0.0.1"] {
            assert_eq!(mapped.parse::<TrustedNetwork>(), Err(Mapped), "{mapped}");
        }
        for bad in
            ["", "*", "proxy", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/8/8", "10/8"]
        {
            assert_eq!(bad.parse::<TrustedNetwork>(), Err(Form), "{bad}");
        }
        let meant = "10.0.0.0/8".parse().unwrap();
        assert_eq!("10.0.0.1/8".parse::<TrustedNetwork>(), Err(HostBits(meant)));
        assert_eq!(meant.to_string(), "10.0.0.0/8");
    }
}
