//! AssumeRoleWithWebIdentity: a role for whoever bears a token of an identity provider that the role trusts.

use http::StatusCode;

use crate::catalog::identities::{OidcProvider, Role, names};
use crate::error::ApiError;
use crate::policy::Context;
use crate::xml::Xml;

use super::oidc::{Claims, Token};
use super::{Answer, Call, assume, request, trust};

/// 400 InvalidIdentityToken.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidIdentityToken", message.into())
}

/// AssumeRoleWithWebIdentity.
pub(super) async fn assume(call: &Call<'_>) -> Answer {
    let name = request::name(call.form, "RoleSessionName", 64)?;
    let arn = call.form.required("RoleArn")?;
    let token = Token::parse(call.form.required("WebIdentityToken")?)?;
    let view = call.plane.directory.view();
    // Nothing is fetched for an issuer that no account has named, and nothing is said of roles to who has no token.
    let issuer = token.claims.issuer.trim_end_matches('/');
    let account = assume::account_of(arn)?;
    let provider = view.identities.list::<OidcProvider>(account).find(|one| one.url == issuer);
    let provider = provider
        .ok_or_else(|| invalid(format!("No OpenIDConnect provider found in your account for {issuer}")))?;
    call.plane.oidc.verify(&token, provider, call.plane.directory.now()).await?;
    let claims = &token.claims;
    check_audience(claims, provider)?;

    let mut context = call.context.clone();
    context.set("sts:RoleSessionName", name);
    let mut keys = provider_keys(claims, provider);
    for (key, values) in &keys {
        context.set_all(key, values.iter().map(String::as_str));
    }
    context.set("aws:FederatedProvider", provider.arn());
    names::check_tags(&claims.tags)?;
    request::add_tags(&mut context, &claims.tags, &claims.transitive);
    if let Some(source) = &claims.source_identity {
        names::check_name("SourceIdentity", source, 64)?;
        context.set("sts:SourceIdentity", source.as_str());
    }
    let role = assume::role(&view, arn)?;
    check_mentions(provider, &role)?;
    let check =
        |action: &str, context: &Context| trust::check_bearer(&provider.arn(), &role, action, context);
    check("sts:AssumeRoleWithWebIdentity", &context)?;
    if !claims.tags.is_empty() {
        check("sts:TagSession", &context)?;
    }
    if let Some(source) = &claims.source_identity {
        check("sts:SetSourceIdentity", &context)?;
        keys.push(("aws:SourceIdentity".to_owned(), vec![source.clone()]));
    }
    keys.push(("aws:FederatedProvider".to_owned(), vec![provider.arn()]));

    let seconds = assume::duration(call, &role)?;
    let policies = request::policies(call.form, &view, &role.account_id)?;
    let packed = request::packed_size(&policies, &claims.tags);
    let tags = (claims.tags.clone(), claims.transitive.clone());
    let made = assume::issue(call.plane, &role, name, seconds, policies, tags, keys)?;
    let mut xml = Xml::fragment();
    request::credentials(&mut xml, &made);
    xml.text("SubjectFromWebIdentityToken", &claims.subject)
        .text("Provider", &provider.arn())
        .text("Audience", claims.audiences.first().map_or("", String::as_str));
    assume::show(&mut xml, &role, name, packed, claims.source_identity.as_deref());
    Ok(xml)
}

/// The audience must be one of the provider's client ids, where it has any.
fn check_audience(claims: &Claims, provider: &OidcProvider) -> Result<(), ApiError> {
    let given = claims.authorized_party.as_slice();
    let given = if given.is_empty() { &claims.audiences } else { given };
    let known = &provider.client_ids;
    if known.is_empty() || given.iter().any(|audience| known.contains(audience)) {
        return Ok(());
    }
    Err(invalid("Incorrect token audience"))
}

/// A provider without client ids leaves the audience to the trust policy, which then must speak of the token: one that
/// was made for somebody else's service must not open a role. Such a role is refused like one that does not trust.
fn check_mentions(provider: &OidcProvider, role: &Role) -> Result<(), ApiError> {
    let trust = role.trust.policy();
    let mentions = |key: &str| trust.is_some_and(|policy| policy.mentions(key));
    let of_issuer = |name: &str| mentions(&format!("{}:{name}", provider.name()));
    if !provider.client_ids.is_empty()
        || ["aud", "azp", "app_id", "sub"].iter().any(|name| of_issuer(name))
        || ["aws:RequestTag/", "aws:TagKeys"].iter().any(|key| mentions(key))
    {
        return Ok(());
    }
    let why =
        format!("{} has no client ids, and the trust policy of {} no condition", provider.arn(), role.arn());
    Err(ApiError::access_denied(why))
}

/// The condition keys of a token: `idp.example.com/realm:sub` and its like (IAM user guide, "Available keys for AWS
/// OIDC federation").
fn provider_keys(claims: &Claims, provider: &OidcProvider) -> Vec<(String, Vec<String>)> {
    let party = &claims.authorized_party;
    let key = |name: &str, values: &[String]| (format!("{}:{name}", provider.name()), values.to_vec());
    let mut keys = vec![
        key("sub", std::slice::from_ref(&claims.subject)),
        key("aud", if party.is_empty() { &claims.audiences } else { party }),
        key("app_id", &claims.audiences),
        key("amr", &claims.methods),
        key("email", &claims.email),
    ];
    if !party.is_empty() {
        keys.push(key("oaud", &claims.audiences));
        keys.push(key("azp", party));
    }
    keys.retain(|(_, values)| !values.is_empty());
    keys
}
