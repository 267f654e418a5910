//! Access keys of users, and of the account's root where its root asks for its own.

use crate::catalog::identities::{User, errors};
use crate::error::ApiError;
use crate::query::answer::date;
use crate::xml::Xml;

use super::call::{Answer, Call};
use super::show;

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let user = call.user_or_caller()?;
    let pair = match &user {
        Some(user) => call.plane.keys.create_for_user(call.account, &user.name, String::new()).await?,
        None => call.plane.keys.create(Some(call.account.to_owned()), String::new()).await?,
    };
    let created = call.plane.directory.view().access_keys.get(&pair.access_key_id).map(|key| key.created);
    Ok(show::part(|xml| {
        xml.element("AccessKey", |xml| {
            name(xml, user.as_deref());
            xml.text("AccessKeyId", &pair.access_key_id)
                .text("Status", "Active")
                .text("SecretAccessKey", pair.secret.expose());
            if let Some(created) = created {
                xml.text("CreateDate", &date(created));
            }
        });
    }))
}

fn name(xml: &mut Xml, user: Option<&User>) {
    if let Some(user) = user {
        xml.text("UserName", &user.name);
    }
}

/// The key that the request names, where it is one of the user's.
fn named(call: &Call<'_>) -> Result<String, ApiError> {
    let user = call.user_or_caller()?;
    let id = call.form.required("AccessKeyId")?;
    let user = user.as_deref().map(|user| user.name.as_str());
    if call.view.keys_of(call.account, user).any(|key| key.access_key_id == id) {
        return Ok(id.to_owned());
    }
    if user.is_none() && call.plane.keys.root_of(call.account) == Some(id) {
        return Err(errors::validation(
            "This key is the server's root key: it is set where the server starts, and not by this API",
        ));
    }
    Err(errors::no_such_entity(format!("The Access Key with id {id} cannot be found.")))
}

pub(super) async fn update(call: &Call<'_>) -> Answer {
    let id = named(call)?;
    let active = match call.form.required("Status")? {
        "Active" => true,
        "Inactive" => false,
        other => {
            return Err(errors::validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    call.plane.keys.set_active(&id, active).await?;
    Ok(show::nothing())
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let id = named(call)?;
    call.plane.keys.delete(&id).await?;
    Ok(show::nothing())
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let user = call.user_or_caller()?;
    let keys = call.view.keys_of(call.account, user.as_deref().map(|user| user.name.as_str()));
    show::page(
        call,
        "AccessKeyMetadata",
        keys,
        |key| key.access_key_id.clone(),
        |xml, key| {
            name(xml, user.as_deref());
            xml.text("AccessKeyId", &key.access_key_id)
                .text("Status", if key.active { "Active" } else { "Inactive" })
                .text("CreateDate", &date(key.created));
        },
    )
}

/// GetAccessKeyLastUsed: the last use of keys is not recorded, which AWS's own form says as `N/A`.
pub(super) fn last_used(call: &Call<'_>) -> Answer {
    let id = call.form.required("AccessKeyId")?;
    let key = call.view.access_keys.get(id).filter(|key| key.account_id == call.account);
    let user = key.and_then(|key| call.view.identities.get::<User>(call.account, key.user.as_deref()?));
    call.allow(&user.map_or_else(|| "*".to_owned(), |user| user.arn()), call.context())?;
    if key.is_none() {
        return Err(errors::no_such_entity(format!("The Access Key with id {id} cannot be found.")));
    }
    Ok(show::part(|xml| {
        name(xml, user.map(|user| &**user));
        xml.element("AccessKeyLastUsed", |xml| {
            xml.text("Region", "N/A").text("ServiceName", "N/A");
        });
    }))
}
