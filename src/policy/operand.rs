//! One value of a condition, of the type of its operator, and how a value of the request compares with it.

use std::net::IpAddr;

use data_encoding::BASE64;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::arn::ArnPattern;
use super::context::Keys;
use super::operator::{Comparison, Order};
use super::pattern::Pattern;
use super::variables::Template;

/// A value of a condition, compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// Text, compared as it is.
    Text(Template),
    /// Text, compared whatever the case.
    Folded(Template),
    /// Text with wildcards.
    Wild(Pattern),
    /// An ARN with wildcards.
    Arn(ArnPattern),
    /// A number.
    Number(Order, f64),
    /// A time.
    Instant(Order, Timestamp),
    /// A truth value; Null's too.
    Flag(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A range of addresses.
    Network(Network),
    /// A value with variables, for an operator that compares something else than text: read for each request.
    Deferred(Comparison, Template),
}

impl Operand {
    /// Compiles a value.
    pub(super) fn parse(comparison: Comparison, text: &str, variables: bool) -> Result<Self, String> {
        match comparison {
            Comparison::StringEquals => Template::parse(text, variables).map(Self::Text),
            Comparison::StringEqualsIgnoreCase => Template::parse(text, variables).map(Self::Folded),
            Comparison::StringLike => Pattern::parse(text, variables).map(Self::Wild),
            Comparison::Arn => ArnPattern::parse(text, variables).map(Self::Arn),
            typed => {
                let template = Template::parse(text, variables)?;
                if template.has_variables() {
                    return Ok(Self::Deferred(typed, template));
                }
                Self::typed(typed, text)
            }
        }
    }

    /// Reads a value that is not text.
    fn typed(comparison: Comparison, text: &str) -> Result<Self, String> {
        let (operand, what) = match comparison {
            Comparison::Numeric(order) => (number(text).map(|value| Self::Number(order, value)), "a number"),
            Comparison::Date(order) => (
                instant(text).map(|value| Self::Instant(order, value)),
                "a date of ISO 8601 or in seconds since 1970",
            ),
            Comparison::Bool | Comparison::Null => (flag(text).map(Self::Flag), "\"true\" or \"false\""),
            Comparison::Binary => (BASE64.decode(text.as_bytes()).ok().map(Self::Bytes), "Base64"),
            Comparison::IpAddress => {
                (Network::parse(text).map(Self::Network), "an IP address or a range in CIDR notation")
            }
            Comparison::StringEquals
            | Comparison::StringEqualsIgnoreCase
            | Comparison::StringLike
            | Comparison::Arn => (None, "text"),
        };
        operand.ok_or_else(|| format!("\"{text}\" is not {what}"))
    }

    /// Whether a value of the request satisfies the operator with this operand. `unresolved` is the answer where a
    /// variable has no value.
    pub(super) fn holds(&self, value: &str, context: &dyn Keys, unresolved: bool) -> bool {
        match self {
            Self::Text(template) => template.resolve(context).map_or(unresolved, |wanted| wanted == value),
            Self::Folded(template) => {
                template.resolve(context).map_or(unresolved, |wanted| equal_folded(&wanted, value))
            }
            Self::Wild(pattern) => pattern.matches(value, context).unwrap_or(unresolved),
            Self::Arn(pattern) => pattern.matches(value, context).unwrap_or(unresolved),
            Self::Number(order, wanted) => number(value)
                .and_then(|found| found.partial_cmp(wanted))
                .is_some_and(|found| order.allows(found)),
            Self::Instant(order, wanted) => {
                instant(value).is_some_and(|found| order.allows(found.cmp(wanted)))
            }
            Self::Flag(wanted) => flag(value) == Some(*wanted),
            Self::Bytes(wanted) => BASE64.decode(value.as_bytes()).is_ok_and(|found| found == *wanted),
            Self::Network(network) => value.parse().is_ok_and(|address| network.contains(address)),
            Self::Deferred(comparison, template) => {
                let text = template.resolve(context);
                let operand = text.and_then(|text| Self::typed(*comparison, &text).ok());
                operand.map_or(unresolved, |operand| operand.holds(value, context, unresolved))
            }
        }
    }
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many of the first bits are fixed.
    pub(super) prefix: u8,
}

impl Network {
    /// Reads an address, or a range in CIDR notation.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address.parse().ok()?, Some(prefix.parse::<u8>().ok()?))
            }
            Some(_) => return None,
            None => (text.parse().ok()?, None),
        };
        let bits = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Self { address, prefix })
    }

    /// How many of the first bits are fixed.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the range is of version 4.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether an address lies in the range. An IPv4 address written in IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(wanted), IpAddr::V4(found)) => {
                let shift = 32 - u32::from(self.prefix);
                u32::from(wanted).checked_shr(shift) == u32::from(found).checked_shr(shift)
            }
            (IpAddr::V6(wanted), IpAddr::V6(found)) => {
                let shift = 128 - u32::from(self.prefix);
                u128::from(wanted).checked_shr(shift) == u128::from(found).checked_shr(shift)
            }
            _ => false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|value: &f64| plain && value.is_finite())
}

fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

/// A time: seconds since 1970, or ISO 8601 to the second, the minute, the day or the month; UTC where it does not say.
fn instant(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let civil = match text.split_once('T') {
        Some(_) => text.parse::<DateTime>().ok()?,
        None if text.len() == 7 => format!("{text}-01").parse::<Date>().ok()?.into(),
        None => text.parse::<Date>().ok()?.into(),
    };
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn equal_folded(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for (text, expected) in [
            ("1577836800", Some(1_577_836_800)),
            ("2020-01-01T00:00:00Z", Some(1_577_836_800)),
            ("2020-01-01T00:00:00.000Z", Some(1_577_836_800)),
            ("2020-01-01T01:00:00+01:00", Some(1_577_836_800)),
            ("2020-01-01T00:00Z", Some(1_577_836_800)),
            ("2020-01-01T00:00:00", Some(1_577_836_800)),
            ("2020-01-01", Some(1_577_836_800)),
            ("2020-01", Some(1_577_836_800)),
            ("2020-13-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(instant(text).map(Timestamp::as_second), expected, "{text}");
        }
    }

    #[test]
    fn reads_networks() {
        for (range, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.9.9.9/8", "10.1.2.3", true),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1/32", "::ffff:10.0.0.1", true),
            ("2001:db8::/32", "2001:db8:1::", true),
            ("2001:db8::/32", "2001:db9::", false),
        ] {
            let network = Network::parse(range).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{range} {address}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "x", ""] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        for text in ["NaN", "inf", "1e999", "", "0x1", "1 "] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(number("-1.5"), Some(-1.5));
    }
}
