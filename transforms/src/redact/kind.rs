//! The built-in kinds of personal data.

use std::borrow::Cow;

use serde::Deserialize;

/// A built-in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Email,
    Phone,
    Card,
    Iban,
    Ipv4,
    Ipv6,
    Ssn,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Email, Self::Phone, Self::Card, Self::Iban, Self::Ipv4, Self::Ipv6, Self::Ssn];

    /// The word between brackets in mode `replace`.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::Card => "CARD",
            Self::Iban => "IBAN",
            Self::Ipv4 => "IPV4",
            Self::Ipv6 => "IPV6",
            Self::Ssn => "SSN",
        }
    }

    /// The form in which equal values are equal bytes, so that `4111-1111-…` and `4111 1111 …` have one pseudonym.
    pub(super) fn normalise(self, found: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Email | Self::Ipv6 => found.to_ascii_lowercase().into(),
            Self::Ipv4 => Cow::Borrowed(found),
            Self::Phone | Self::Card | Self::Ssn => {
                found.iter().copied().filter(u8::is_ascii_digit).collect::<Vec<u8>>().into()
            }
            Self::Iban => {
                let letters = found.iter().filter(|b| b.is_ascii_alphanumeric());
                letters.map(u8::to_ascii_uppercase).collect::<Vec<u8>>().into()
            }
        }
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) fn all() -> Self {
        Kind::ALL.into_iter().collect()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | (1 << kind as u8)))
    }
}
