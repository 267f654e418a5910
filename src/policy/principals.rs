//! The Principal and NotPrincipal elements of a statement.

use super::error::PolicyError;
use super::json::Json;
use super::principal::{CallerKind, PrincipalView};

/// How a statement names the caller, from the weakest to the strongest. It decides what else must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Naming {
    /// By the account, which leaves it to the account's own policies.
    Account,
    /// By the role or user that issued the session.
    Issuer,
    /// Itself, or everybody.
    Direct,
}

/// One named principal.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `"*"`: everybody and everything.
    Everything,
    /// `{"AWS": "*"}`: everybody, anonymous callers among them, but no service or bearer of a token.
    Everybody,
    /// An account, by its id or name.
    Account(Box<str>),
    /// What stands in the account's place of an ARN without an account: `arn:aws:iam:::user/NAME` is an account that
    /// has this name, or id, or canonical id.
    Named(Box<str>),
    /// A user, role or session. The ARN in front of the account, the account, and the rest.
    Arn(Box<str>, Box<str>, Box<str>),
    /// A unique id: `AIDA…`, `AROA…`.
    UniqueId(Box<str>),
    /// An account, by its canonical id.
    Canonical(Box<str>),
    /// An identity provider.
    Federated(Box<str>),
    /// A service.
    Service(Box<str>),
}

/// The principals of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principals {
    entries: Box<[Entry]>,
    negated: bool,
}

impl Principals {
    /// Reads `Principal`, or `NotPrincipal` if negated.
    pub(super) fn parse(json: Json, negated: bool) -> Result<Self, PolicyError> {
        let field = if negated { "NotPrincipal" } else { "Principal" };
        let mut entries = Vec::new();
        match json {
            Json::String(text) if text == "*" => entries.push(Entry::Everything),
            Json::Object(fields) => {
                for (kind, value) in fields {
                    let place = format!("{field}.{kind}");
                    let read: fn(&str) -> Result<Entry, String> = match kind.as_str() {
                        "AWS" => aws,
                        "Service" => service,
                        "Federated" => federated,
                        "CanonicalUser" => canonical,
                        _ => {
                            return Err(PolicyError::malformed(format!(
                                "{field} has the unknown field \"{kind}\"; there are AWS, Service, Federated and \
                                 CanonicalUser"
                            )));
                        }
                    };
                    for text in value.strings(&place)? {
                        let entry = read(&text).map_err(PolicyError::malformed);
                        entries.push(entry.map_err(|error| error.within(&place))?);
                    }
                }
            }
            other => {
                let found =
                    if let Json::String(text) = &other { format!("\"{text}\"") } else { other.what().into() };
                return Err(PolicyError::malformed(format!(
                    "{field} must be \"*\" or an object, not {found}"
                )));
            }
        }
        if entries.is_empty() {
            return Err(PolicyError::malformed(format!("{field} names nobody")));
        }
        Ok(Self { entries: entries.into(), negated })
    }

    /// How the statement names a caller, if it is about them. NotPrincipal is about everybody with a permissions
    /// boundary, whoever is listed.
    pub(super) fn names(&self, caller: &PrincipalView<'_>, bounded: bool) -> Option<Naming> {
        let strongest = self.entries.iter().filter_map(|entry| entry.names(caller)).max();
        if !self.negated {
            return strongest;
        }
        // A caller is exempt only with their account: AWS checks the account first, then the role or user.
        let listed = |naming| self.entries.iter().any(|entry| entry.names(caller) == Some(naming));
        let itself = listed(Naming::Direct) || listed(Naming::Issuer);
        let account = !caller.has_account() || listed(Naming::Account) || self.is_everybody();
        let root = caller.kind == CallerKind::Root && strongest.is_some();
        let exempt = root || (itself && account);
        if exempt && !bounded { None } else { Some(Naming::Direct) }
    }

    /// Whether everybody is named.
    pub(super) fn is_everybody(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Everybody | Entry::Everything))
    }

    /// Whether this is NotPrincipal.
    pub(super) fn is_negated(&self) -> bool {
        self.negated
    }
}

impl Entry {
    fn names(&self, caller: &PrincipalView<'_>) -> Option<Naming> {
        let account = |same: bool| {
            let naming = if caller.kind == CallerKind::Root { Naming::Direct } else { Naming::Account };
            same.then_some(naming)
        };
        match self {
            Self::Everything => Some(Naming::Direct),
            Self::Everybody => {
                let person = !matches!(caller.kind, CallerKind::Service | CallerKind::WebIdentity);
                person.then_some(Naming::Direct)
            }
            Self::Account(id) => account(caller.is_of_account(id)),
            Self::Named(name) => account(caller.is_of_account(name) || caller.has_canonical_id(name)),
            Self::Canonical(id) => account(caller.has_canonical_id(id)),
            Self::Arn(head, in_account, rest) => {
                let same = |arn: &str| {
                    let tail = arn.strip_prefix(&**head).and_then(|tail| tail.split_once(':'));
                    tail.is_some_and(|(_, tail)| tail == &**rest) && caller.is_of_account(in_account)
                };
                if same(caller.arn) {
                    Some(Naming::Direct)
                } else {
                    caller.issuer_arn.is_some_and(same).then_some(Naming::Issuer)
                }
            }
            Self::UniqueId(id) => match caller.principal_id.split_once(':') {
                _ if caller.principal_id == &**id => Some(Naming::Direct),
                Some((issuer, _)) if issuer == &**id => Some(Naming::Issuer),
                _ => None,
            },
            Self::Federated(provider) => {
                let same = caller.kind == CallerKind::WebIdentity && caller.arn == &**provider;
                same.then_some(Naming::Direct)
            }
            Self::Service(name) => {
                let same = caller.kind == CallerKind::Service && caller.arn == &**name;
                same.then_some(Naming::Direct)
            }
        }
    }
}

fn aws(text: &str) -> Result<Entry, String> {
    if text == "*" {
        return Ok(Entry::Everybody);
    }
    if is_account_id(text) {
        return Ok(Entry::Account(text.into()));
    }
    let unique = ["AIDA", "AROA"].iter().any(|prefix| text.starts_with(prefix));
    if unique && text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Entry::UniqueId(text.into()));
    }
    let invalid = |why: &str| Err(format!("\"{text}\" is not a principal: {why}"));
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, resource] = fields.as_slice() else {
        return invalid(
            "neither \"*\", an account of 12 digits nor the ARN of a root, user, role or session",
        );
    };
    if !["aws", "aws-cn", "aws-us-gov"].contains(partition) {
        return invalid("unknown partition");
    }
    if text.contains(['*', '?']) {
        return invalid("wildcards are not allowed in the ARN of a principal");
    }
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let session =
        || name.split_once('/').is_some_and(|(role, session)| !role.is_empty() && !session.is_empty());
    let arn =
        || Entry::Arn(format!("arn:{partition}:{service}::").into(), (*account).into(), (*resource).into());
    match (*service, kind) {
        ("iam", "root") if name.is_empty() && !account.is_empty() => Ok(Entry::Account((*account).into())),
        ("iam", "user") if !name.is_empty() && account.is_empty() => Ok(Entry::Named(name.into())),
        ("iam", "user" | "role") if !name.is_empty() && !name.ends_with('/') => Ok(arn()),
        ("sts", "assumed-role") if session() => Ok(arn()),
        ("sts", "federated-user") if !name.is_empty() => Ok(arn()),
        ("iam", "group") => invalid("a group cannot be a principal"),
        _ => invalid("only a root, user, role, role session or federated user can be named"),
    }
}

fn service(text: &str) -> Result<Entry, String> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if text.contains('.') && text.bytes().all(valid) {
        return Ok(Entry::Service(text.into()));
    }
    Err(format!("\"{text}\" is not the name of a service, such as \"lambda.amazonaws.com\""))
}

fn federated(text: &str) -> Result<Entry, String> {
    if text.is_empty() || text.contains(['*', '?']) || text.contains(char::is_whitespace) {
        return Err(format!("\"{text}\" is not an identity provider"));
    }
    Ok(Entry::Federated(text.into()))
}

fn canonical(text: &str) -> Result<Entry, String> {
    if text.is_empty() || text.contains(['*', '?']) {
        return Err(format!("\"{text}\" is not a canonical user id"));
    }
    Ok(Entry::Canonical(text.into()))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
