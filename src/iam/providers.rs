//! OpenID Connect identity providers.

use crate::catalog::identities::{OidcProvider, errors, limits, names};
use crate::error::ApiError;
use crate::policy::Context;
use crate::query::answer::date;
use crate::xml::Xml;

use super::call::{Answer, Call};
use super::show;

/// Refuses a URL that no issuer can have. Without TLS it must be of a host that the configuration lets be so.
fn check_url(url: &str, http_hosts: &[String]) -> Result<(), ApiError> {
    let invalid = |why: &str| Err(errors::validation(format!("Invalid Open ID Connect Provider URL: {why}")));
    if url.len() > 255 || !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['?', '#', '@']) {
        return invalid("it must be a URL of at most 255 characters, without query, fragment and user name");
    }
    let Ok(uri) = url.parse::<http::Uri>() else { return invalid("it cannot be read") };
    let Some(authority) = uri.authority() else { return invalid("it must name a host") };
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_listed(authority.as_str(), http_hosts) => Ok(()),
        _ => invalid("it must begin with https://, but for hosts that the setting oidc_http_hosts names"),
    }
}

/// Whether a host, with its port or without, is among those of the configuration.
pub(crate) fn is_listed(authority: &str, http_hosts: &[String]) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    http_hosts.iter().any(|known| {
        known == "*" || known.eq_ignore_ascii_case(authority) || known.eq_ignore_ascii_case(host)
    })
}

fn check_client_id(id: &str) -> Result<(), ApiError> {
    if (1..=255).contains(&id.chars().count()) {
        return Ok(());
    }
    Err(errors::validation("A client id must have 1 to 255 characters"))
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), ApiError> {
    if thumbprints.len() > limits::THUMBPRINTS {
        return Err(errors::limit("ThumbprintsPerOpenIDConnectProvider", limits::THUMBPRINTS));
    }
    if thumbprints.iter().any(|one| one.len() != 40 || !one.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(errors::validation("A thumbprint must have 40 characters"));
    }
    Ok(())
}

fn owned(values: Vec<&str>) -> Vec<String> {
    values.into_iter().map(str::to_owned).collect()
}

fn values(xml: &mut Xml, list: &str, values: &[String]) {
    xml.element(list, |xml| {
        for value in values {
            xml.text("member", value);
        }
    });
}

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let url = call.form.required("Url")?.trim_end_matches('/');
    check_url(url, &call.plane.http_hosts)?;
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    let mut provider = call.plane.directory.new_provider(call.account, url);
    call.allow(&provider.arn(), context)?;
    names::check_tags(&tags)?;
    provider.tags = tags;
    provider.client_ids = owned(call.form.list("ClientIDList"));
    provider.thumbprints = owned(call.form.list("ThumbprintList"));
    provider.client_ids.iter().try_for_each(|id| check_client_id(id))?;
    check_thumbprints(&provider.thumbprints)?;
    if provider.client_ids.len() > limits::CLIENT_IDS {
        return Err(errors::limit("ClientIdsPerOpenIdConnectProvider", limits::CLIENT_IDS));
    }
    let arn = provider.arn();
    call.plane.directory.create(provider, |_| Ok(())).await?;
    Ok(show::part(|xml| {
        xml.text("OpenIDConnectProviderArn", &arn);
    }))
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let provider = call.provider()?;
    // AWS leaves https:// out; http:// is said.
    let url = provider.url.strip_prefix("https://").unwrap_or(&provider.url);
    Ok(show::part(|xml| {
        xml.text("Url", url);
        values(xml, "ClientIDList", &provider.client_ids);
        values(xml, "ThumbprintList", &provider.thumbprints);
        xml.text("CreateDate", &date(provider.created));
        show::tags(xml, &provider.tags);
    }))
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    call.allow_any()?;
    Ok(show::part(|xml| {
        xml.element("OpenIDConnectProviderList", |xml| {
            for provider in call.view.identities.list::<OidcProvider>(call.account) {
                xml.element("member", |xml| {
                    xml.text("Arn", &provider.arn());
                });
            }
        });
    }))
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let provider = call.provider()?;
    call.plane.directory.delete::<OidcProvider>(call.account, provider.name()).await?;
    Ok(show::nothing())
}

async fn edit(
    call: &Call<'_>,
    context: Context,
    change: impl FnOnce(&mut OidcProvider) -> Result<(), ApiError> + Send + 'static,
) -> Answer {
    let provider = call.provider_with(context)?;
    let change = move |_: &_, provider: &mut OidcProvider| change(provider);
    call.plane.directory.edit(call.account, provider.name(), change).await?;
    Ok(show::nothing())
}

pub(super) async fn update_thumbprints(call: &Call<'_>) -> Answer {
    let thumbprints = owned(call.form.list("ThumbprintList"));
    edit(call, call.context(), move |provider| {
        check_thumbprints(&thumbprints)?;
        provider.thumbprints = thumbprints;
        Ok(())
    })
    .await
}

pub(super) async fn add_client_id(call: &Call<'_>) -> Answer {
    let id = call.form.required("ClientID")?.to_owned();
    edit(call, call.context(), move |provider| {
        check_client_id(&id)?;
        if provider.client_ids.contains(&id) {
            return Ok(());
        }
        provider.client_ids.push(id);
        if provider.client_ids.len() > limits::CLIENT_IDS {
            return Err(errors::limit("ClientIdsPerOpenIdConnectProvider", limits::CLIENT_IDS));
        }
        Ok(())
    })
    .await
}

pub(super) async fn remove_client_id(call: &Call<'_>) -> Answer {
    let id = call.form.required("ClientID")?.to_owned();
    edit(call, call.context(), move |provider| {
        provider.client_ids.retain(|known| *known != id);
        Ok(())
    })
    .await
}

pub(super) async fn tag(call: &Call<'_>) -> Answer {
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    edit(call, context, move |provider| {
        provider.tags.extend(tags);
        names::check_tags(&provider.tags)
    })
    .await
}

pub(super) async fn untag(call: &Call<'_>) -> Answer {
    let keys = owned(call.form.list("TagKeys"));
    edit(call, call.context(), move |provider| {
        provider.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
    .await
}

pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let provider = call.provider()?;
    super::roles::tag_list(call, &provider.tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_has_tls_unless_its_host_is_let_off() {
        let hosts = ["localhost:8080".to_owned(), "idp".to_owned()];
        for (url, fits) in [
            ("https://idp.example.com/realm", true),
            ("http://localhost:8080/realm", true),
            ("http://idp:9/x", true),
            ("http://localhost:8081/realm", false),
            ("http://idp.example.com/realm", false),
            ("ftp://idp/x", false),
            ("https://user@idp/x", false),
            ("https://idp/x?y", false),
            ("idp", false),
        ] {
            assert_eq!(check_url(url, &hosts).is_ok(), fits, "{url}");
        }
    }
}
