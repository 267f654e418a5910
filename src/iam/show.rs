//! What answers are made of: records as XML, and pages of lists.

use data_encoding::BASE64URL_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::catalog::identities::{Group, ManagedPolicy, PolicyVersion, Role, User};
use crate::catalog::{Tags, View};
use crate::error::ApiError;
use crate::query::answer::date;
use crate::xml::Xml;

use super::call::Call;
use crate::catalog::identities::errors;

/// Unreserved by RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Items of a list: at most 1,000 a page, and 100 where the request says nothing.
const PAGE: std::ops::RangeInclusive<u32> = 1..=1_000;

/// An answer of one part.
pub(super) fn part(write: impl FnOnce(&mut Xml)) -> Xml {
    let mut xml = Xml::fragment();
    write(&mut xml);
    xml
}

/// An answer without a result.
pub(super) fn nothing() -> Xml {
    Xml::fragment()
}

/// A policy document, percent-encoded as IAM sends it.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// One page of a list: `IsTruncated`, and `Marker` where more follows. `key` is what the next page starts after.
pub(super) fn page<T>(
    call: &Call<'_>,
    list: &str,
    items: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
    mut write: impl FnMut(&mut Xml, &T),
) -> Result<Xml, ApiError> {
    let most = call.form.number("MaxItems", &PAGE)?.map_or(100, |most| most as usize);
    let after = match call.form.get("Marker") {
        None => None,
        Some(marker) => {
            let bytes = BASE64URL_NOPAD.decode(marker.as_bytes()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Some(text.ok_or_else(|| errors::validation("Invalid Marker."))?)
        }
    };
    let mut rest = items.filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let mut last = None;
    let mut xml = Xml::fragment();
    xml.element(list, |xml| {
        for item in rest.by_ref().take(most) {
            xml.element("member", |xml| write(xml, &item));
            last = Some(key(&item));
        }
    });
    let more = rest.next().is_some();
    xml.text("IsTruncated", if more { "true" } else { "false" });
    if let (true, Some(last)) = (more, last) {
        xml.text("Marker", &BASE64URL_NOPAD.encode(last.as_bytes()));
    }
    Ok(xml)
}

pub(super) fn tags(xml: &mut Xml, tags: &Tags) {
    if tags.is_empty() {
        return;
    }
    xml.element("Tags", |xml| {
        for (key, value) in tags {
            xml.element("member", |xml| {
                xml.text("Key", key).text("Value", value);
            });
        }
    });
}

fn boundary(xml: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
        });
    }
}

/// A user; its tags and boundary are not part of lists.
pub(super) fn user(xml: &mut Xml, user: &User, whole: bool) {
    xml.text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.id)
        .text("Arn", &user.arn())
        .text("CreateDate", &date(user.created));
    if whole {
        boundary(xml, user.boundary.as_deref());
        tags(xml, &user.tags);
    }
}

/// A group.
pub(super) fn group(xml: &mut Xml, group: &Group) {
    xml.text("Path", &group.path)
        .text("GroupName", &group.name)
        .text("GroupId", &group.id)
        .text("Arn", &group.arn())
        .text("CreateDate", &date(group.created));
}

/// A role; its tags and boundary are not part of lists.
pub(super) fn role(xml: &mut Xml, role: &Role, whole: bool) {
    xml.text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn())
        .text("CreateDate", &date(role.created))
        .text("AssumeRolePolicyDocument", &encoded(role.trust.text()));
    if !role.description.is_empty() {
        xml.text("Description", &role.description);
    }
    xml.text("MaxSessionDuration", &role.max_session.to_string());
    if whole {
        boundary(xml, role.boundary.as_deref());
        tags(xml, &role.tags);
    }
}

/// A managed policy; its tags and description are not part of lists.
pub(super) fn policy(xml: &mut Xml, view: &View, account: &str, policy: &ManagedPolicy, whole: bool) {
    let (attached, boundaries) = view.identities.attachments(account, &policy.arn());
    xml.text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn())
        .text("Path", &policy.path)
        .text("DefaultVersionId", &format!("v{}", policy.default_version))
        .text("AttachmentCount", &attached.to_string())
        .text("PermissionsBoundaryUsageCount", &boundaries.to_string())
        .text("IsAttachable", "true")
        .text("CreateDate", &date(policy.created))
        .text("UpdateDate", &date(policy.updated));
    if whole {
        if !policy.description.is_empty() {
            xml.text("Description", &policy.description);
        }
        tags(xml, &policy.tags);
    }
}

/// A version of a managed policy, with its document where that is asked for.
pub(super) fn version(xml: &mut Xml, policy: &ManagedPolicy, version: &PolicyVersion, whole: bool) {
    if whole {
        xml.text("Document", &encoded(version.document.text()));
    }
    let default = policy.default_version == version.number;
    xml.text("VersionId", &format!("v{}", version.number))
        .text("IsDefaultVersion", if default { "true" } else { "false" })
        .text("CreateDate", &date(version.created));
}
