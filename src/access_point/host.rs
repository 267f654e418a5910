//! What the shape of an authority says. Names are decided over a snapshot, in [`super::target`].

use std::net::IpAddr;

use super::arn::is_account;

/// An authority without its port, by shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// An address, `localhost`, a configured domain, `s3.region.amazonaws.com`: the bucket is in the path.
    Own,
    /// `{12 digits}.rest`: the S3 Control plane of an account.
    Account(&'a str),
    /// `{name}-{12 digits}.rest`: an access point or Object Lambda access point.
    Point {
        /// The first label: a bucket may be called so too.
        label: &'a str,
        /// Name of the point.
        name: &'a str,
        /// Its account.
        account_id: &'a str,
    },
    /// Anything else before a rest: perhaps a bucket or an alias.
    Label(&'a str),
    /// One label that is not `localhost`.
    Bare,
}

/// Reads the shape of an authority such as `ap1-123456789012.localhost:9000`. `domains` are names of this server:
/// all before one of them is a bucket's name, dots included.
#[must_use]
pub fn parse<'a>(authority: &'a str, domains: &[String]) -> Host<'a> {
    let host = without_port(authority);
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') || host.eq_ignore_ascii_case("localhost") {
        return Host::Own;
    }
    for domain in domains {
        if host.eq_ignore_ascii_case(domain) {
            return Host::Own;
        }
        if let Some(before) = strip_suffix_ignoring_case(host, domain).and_then(|rest| rest.strip_suffix('.'))
        {
            return by_label(before);
        }
    }
    if let Some(before) = host.strip_suffix(".amazonaws.com") {
        return amazon(before);
    }
    match host.split_once('.') {
        Some((label, _)) => by_label(label),
        None => Host::Bare,
    }
}

/// An authority without its port.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

/// `…` of `….amazonaws.com`: `s3.us-east-1`, `bucket.s3`, `ap1-123456789012.s3-accesspoint.us-east-1`, ….
fn amazon(before: &str) -> Host<'_> {
    const SERVICES: [&str; 4] = ["s3", "s3-control", "s3-accesspoint", "s3-object-lambda"];
    if SERVICES.iter().any(|service| before == *service || before.starts_with(&format!("{service}."))) {
        return Host::Own;
    }
    for service in SERVICES {
        if let Some(at) = before.find(&format!(".{service}.")) {
            return before.get(..at).map_or(Host::Bare, by_label);
        }
        if let Some(label) = before.strip_suffix(&format!(".{service}")) {
            return by_label(label);
        }
    }
    Host::Bare
}

fn by_label(label: &str) -> Host<'_> {
    if is_account(label) {
        return Host::Account(label);
    }
    if let Some((name, account_id)) = label.rsplit_once('-')
        && is_account(account_id)
        && !name.is_empty()
        && !name.contains('.')
    {
        return Host::Point { label, name, account_id };
    }
    Host::Label(label)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (before, after) = text.split_at_checked(at)?;
    after.eq_ignore_ascii_case(suffix).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_host_says_what_it_may_be() {
        let domains = ["s3.example.org".to_owned()];
        let parse = |host| parse(host, &domains);
        for own in [
            "127.0.0.1:9000",
            "[::1]:9000",
            "localhost",
            "S3.Example.org:80",
            "s3.us-east-1.amazonaws.com",
            "s3.amazonaws.com",
        ] {
            assert_eq!(parse(own), Host::Own, "{own}");
        }
        assert_eq!(parse("123456789012.127.0.0.1:9000"), Host::Account("123456789012"));
        assert_eq!(parse("123456789012.s3-control.us-east-1.amazonaws.com"), Host::Account("123456789012"));
        let point = Host::Point { label: "ap1-123456789012", name: "ap1", account_id: "123456789012" };
        for host in [
            "ap1-123456789012.localhost:9000",
            "ap1-123456789012.olap.local",
            "ap1-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
            "ap1-123456789012.s3-object-lambda.eu-west-1.amazonaws.com",
            "ap1-123456789012.s3.example.org",
        ] {
            assert_eq!(parse(host), point, "{host}");
        }
        assert_eq!(parse("photos.localhost:9000"), Host::Label("photos"));
        assert_eq!(parse("my.photos.s3.example.org"), Host::Label("my.photos"));
        assert_eq!(parse("my.photos.s3.us-east-1.amazonaws.com"), Host::Label("my.photos"));
        assert_eq!(parse("refract"), Host::Bare);
    }
}
