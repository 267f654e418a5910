//! ARNs of access points, Object Lambda access points and Lambda functions, parsed and written.

use std::fmt;

/// Which kind of point an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointKind {
    /// `arn:aws:s3:…:accesspoint/name`.
    AccessPoint,
    /// `arn:aws:s3-object-lambda:…:accesspoint/name`.
    ObjectLambda,
}

impl PointKind {
    /// The service in ARNs and signing scopes.
    #[must_use]
    pub fn service(self) -> &'static str {
        match self {
            Self::AccessPoint => "s3",
            Self::ObjectLambda => "s3-object-lambda",
        }
    }
}

/// The ARN of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointArn {
    /// Kind of point.
    pub kind: PointKind,
    /// Region.
    pub region: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// Name of the point.
    pub name: String,
}

impl PointArn {
    /// Parses `arn:aws:s3:region:account:accesspoint/name`; a `:` before the name is taken as well, as AWS does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, _partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account_id, resource) = (fields.next()?, fields.next()?, fields.next()?);
        let kind = match service {
            "s3" => PointKind::AccessPoint,
            "s3-object-lambda" => PointKind::ObjectLambda,
            _ => return None,
        };
        let name = resource.strip_prefix("accesspoint").and_then(|rest| rest.strip_prefix(['/', ':']))?;
        let plain = !name.is_empty() && !name.contains(['/', ':']);
        (arn == "arn" && is_account(account_id) && plain).then(|| Self {
            kind,
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for PointArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&point_arn(self.kind, &self.region, &self.account_id, &self.name))
    }
}

/// The ARN of a point.
#[must_use]
pub fn point_arn(kind: PointKind, region: &str, account_id: &str, name: &str) -> String {
    ["arn:aws:", kind.service(), ":", region, ":", account_id, ":accesspoint/", name].concat()
}

/// The ARN of a Lambda function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionArn {
    /// Region.
    pub region: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// Name, 1 to 64 letters, digits, `-` and `_`.
    pub name: String,
    /// Version or alias, where one is named: `$LATEST`.
    pub qualifier: Option<String>,
}

impl FunctionArn {
    /// Parses `arn:aws:lambda:region:account:function:name[:qualifier]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(':');
        let mut next = || fields.next();
        let ["arn", _, "lambda", region, account_id, "function", name] =
            [next()?, next()?, next()?, next()?, next()?, next()?, next()?]
        else {
            return None;
        };
        let (qualifier, None) = (next(), next()) else { return None };
        (is_account(account_id) && is_function_name(name) && qualifier != Some("")).then(|| Self {
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, account_id, name, qualifier } = self;
        write!(f, "arn:aws:lambda:{region}:{account_id}:function:{name}")?;
        qualifier.as_ref().map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

/// Whether a text is an account id: 12 digits.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text can name a function: 1 to 64 letters, digits, `-` and `_`.
#[must_use]
pub fn is_function_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn point_arns_round_trip_and_others_are_refused() {
        for text in [
            "arn:aws:s3:us-east-1:000000000000:accesspoint/ap1",
            "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/olap1",
        ] {
            assert_eq!(PointArn::parse(text).unwrap().to_string(), text);
        }
        assert!(PointArn::parse("arn:aws:s3:us-east-1:000000000000:accesspoint:ap1").is_some());
        for text in [
            "arn:aws:s3:::bucket",
            "arn:aws:s3:us-east-1:1:accesspoint/ap1",
            "arn:aws:s3:us-east-1:000000000000:accesspoint/",
            "arn:aws:s3:us-east-1:000000000000:accesspoint/ap1/object/k",
            "ap1",
        ] {
            assert_eq!(PointArn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn function_arns_round_trip_and_others_are_refused() {
        for text in [
            "arn:aws:lambda:us-east-1:000000000000:function:builtin-redact",
            "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
        ] {
            assert_eq!(FunctionArn::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "arn:aws:lambda:us-east-1:000000000000:function:",
            "arn:aws:lambda:us-east-1:000000000000:layer:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f:",
            "arn:aws:lambda:us-east-1:000000000000:function:f:1:2",
            "f",
        ] {
            assert_eq!(FunctionArn::parse(text), None, "{text}");
        }
    }
}
