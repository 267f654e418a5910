//! One request to the plane: its fields, its caller, and whether the caller may.

use std::sync::Arc;

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::identities::directory::find;
use crate::catalog::identities::{OidcProvider, Role, User, errors};
use crate::catalog::{Tags, View, sessions};
use crate::error::ApiError;
use crate::policy::{self, Context};
use crate::query::Form;
use crate::xml::Xml;

use super::IamPlane;
use super::holder::HolderRecord;

/// What an operation answers: the inside of its result.
pub(super) type Answer = Result<Xml, ApiError>;

/// One request.
pub(super) struct Call<'a> {
    pub(super) plane: &'a IamPlane,
    pub(super) caller: &'a Principal,
    pub(super) form: &'a Form,
    pub(super) action: &'a str,
    pub(super) account: &'a str,
    pub(super) view: Arc<View>,
    context: Context,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        plane: &'a IamPlane,
        caller: &'a Principal,
        form: &'a Form,
        action: &'a str,
        context: Context,
    ) -> Self {
        let view = plane.directory.view();
        Self { plane, caller, form, action, account: &caller.account_id, view, context }
    }

    /// Sessions of GetSessionToken and GetFederationToken may not call IAM.
    pub(super) fn check_session(&self) -> Result<(), ApiError> {
        let temporary = self.caller.access_key_id.starts_with(sessions::PREFIX);
        if temporary && self.caller.kind != PrincipalKind::AssumedRole {
            let who = &self.caller.arn;
            return Err(ApiError::access_denied(format!("iam:{} by a session of {who}", self.action)));
        }
        Ok(())
    }

    /// The condition keys of the request.
    pub(super) fn context(&self) -> Context {
        self.context.clone()
    }

    /// Decides whether the caller may do the operation on a resource.
    pub(super) fn allow(&self, resource: &str, context: Context) -> Result<(), ApiError> {
        policy::authorize_action(self.caller, &format!("iam:{}", self.action), resource, context)
    }

    /// Decides whether the caller may do an operation that is about no resource.
    pub(super) fn allow_any(&self) -> Result<(), ApiError> {
        self.allow("*", self.context())
    }

    /// An ARN of the account: `self.arn("user", "/", "ada")`.
    pub(super) fn arn(&self, kind: &str, path: &str, name: &str) -> String {
        format!("arn:aws:iam::{}:{kind}{path}{name}", self.account)
    }

    /// The user, group or role that the request names, where the caller may do the operation on it.
    pub(super) fn holder<R: HolderRecord>(&self) -> Result<Arc<R>, ApiError> {
        self.holder_with(|_| {})
    }

    /// The same, with further condition keys.
    pub(super) fn holder_with<R: HolderRecord>(
        &self,
        add: impl FnOnce(&mut Context),
    ) -> Result<Arc<R>, ApiError> {
        self.named(self.form.required(R::PARAMETER)?, add)
    }

    /// A user, group or role by its name, where the caller may do the operation on it.
    pub(super) fn named<R: HolderRecord>(
        &self,
        name: &str,
        add: impl FnOnce(&mut Context),
    ) -> Result<Arc<R>, ApiError> {
        let found = find::<R>(&self.view, self.account, name);
        let mut context = self.context();
        let arn = match &found {
            Ok(record) => {
                if let Some(tags) = record.tags() {
                    add_tags(&mut context, &["iam:ResourceTag", "aws:ResourceTag"], tags);
                }
                if let Some(boundary) = record.boundary() {
                    context.set("iam:PermissionsBoundary", boundary);
                }
                record.arn()
            }
            Err(_) => self.arn(R::WORD, "/", name),
        };
        add(&mut context);
        self.allow(&arn, context)?;
        found
    }

    /// The user that the request names, or who makes it; `None` for the root of the account.
    pub(super) fn user_or_caller(&self) -> Result<Option<Arc<User>>, ApiError> {
        if let Some(name) = self.form.get("UserName") {
            return self.named(name, |_| {}).map(Some);
        }
        match (self.caller.kind, &self.caller.user_name) {
            (PrincipalKind::Root, _) => self.allow_any().map(|()| None),
            (PrincipalKind::User, Some(name)) => self.named(name, |_| {}).map(Some),
            _ => Err(errors::validation("Must specify userName when calling with non-User credentials")),
        }
    }

    /// Tags that come with the request, and their condition keys.
    pub(super) fn tags(&self, context: &mut Context) -> Result<Tags, ApiError> {
        let tags = self.form.tags("Tags")?;
        add_tags(context, &["aws:RequestTag"], &tags);
        context.set_all("aws:TagKeys", tags.keys().map(String::as_str));
        Ok(tags)
    }

    /// The role's boundary or the user's that comes with the request; it must be there.
    pub(super) fn boundary(&self, context: &mut Context) -> Result<Option<String>, ApiError> {
        let Some(arn) = self.form.get("PermissionsBoundary") else { return Ok(None) };
        context.set("iam:PermissionsBoundary", arn);
        Ok(Some(arn.to_owned()))
    }

    /// The provider that the request names, where the caller may do the operation on it.
    pub(super) fn provider(&self) -> Result<Arc<OidcProvider>, ApiError> {
        self.provider_with(self.context())
    }

    /// The same, with these condition keys.
    pub(super) fn provider_with(&self, mut context: Context) -> Result<Arc<OidcProvider>, ApiError> {
        let arn = self.form.required("OpenIDConnectProviderArn")?;
        let name = arn.split_once(":oidc-provider/").map_or("", |(_, name)| name);
        let found = find::<OidcProvider>(&self.view, self.account, name).ok();
        let found = found.filter(|provider| provider.arn() == arn);
        if let Some(provider) = &found {
            add_tags(&mut context, &["iam:ResourceTag", "aws:ResourceTag"], &provider.tags);
        }
        self.allow(arn, context)?;
        found.ok_or_else(|| errors::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
    }

    /// A role, for who passes a name.
    pub(super) fn role(&self) -> Result<Arc<Role>, ApiError> {
        self.holder()
    }
}

/// Adds `PREFIX/key` for each tag.
pub(super) fn add_tags(context: &mut Context, prefixes: &[&str], tags: &Tags) {
    for (key, value) in tags {
        for prefix in prefixes {
            context.set(&format!("{prefix}/{key}"), value.as_str());
        }
    }
}
