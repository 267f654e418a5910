//! GetCallerIdentity and GetAccessKeyInfo.

use crate::auth::Principal;
use crate::error::ApiError;
use crate::policy;
use crate::xml::Xml;

use super::{Answer, Call};

/// GetCallerIdentity: allowed to everybody who has signed, whatever policies say.
pub(super) fn caller(caller: &Principal) -> Xml {
    let mut xml = Xml::fragment();
    xml.text("Arn", &caller.arn).text("UserId", &caller.principal_id).text("Account", &caller.account_id);
    xml
}

/// GetAccessKeyInfo: the account of a permanent key.
pub(super) fn key_info(call: &Call<'_>, caller: &Principal) -> Answer {
    policy::authorize_action(caller, "sts:GetAccessKeyInfo", "*", call.context.clone())?;
    let id = call.form.required("AccessKeyId")?;
    let view = call.plane.directory.view();
    let account = match view.access_keys.get(id) {
        Some(key) => Some(key.account_id.clone()),
        None if call.plane.keys.root().access_key_id == id => {
            Some(call.plane.accounts.root().account_id.clone())
        }
        None => None,
    };
    let account = account.ok_or_else(|| {
        ApiError::new(
            http::StatusCode::BAD_REQUEST,
            "ValidationError",
            format!("The access key {id} is not one of this server's"),
        )
    })?;
    let mut xml = Xml::fragment();
    xml.text("Account", &account);
    Ok(xml)
}
