//! Inline policies of users, groups and roles.

use crate::catalog::identities::errors;

use super::call::{Answer, Call};
use super::holder::HolderRecord;
use super::show;

pub(super) async fn put<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let holder = call.holder::<R>()?;
    let name = call.form.required("PolicyName")?.to_owned();
    let text = call.form.required("PolicyDocument")?.to_owned();
    let change = move |_: &_, holder: &mut R| holder.policies_mut().put_inline(R::HOLDER, &name, &text);
    call.plane.directory.edit(call.account, holder.name(), change).await?;
    Ok(show::nothing())
}

pub(super) fn get<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let holder = call.holder::<R>()?;
    let name = call.form.required("PolicyName")?;
    let document = holder.policies().inline.get(name).ok_or_else(|| missing::<R>(name, holder.name()))?;
    Ok(show::part(|xml| {
        xml.text(R::PARAMETER, holder.name())
            .text("PolicyName", name)
            .text("PolicyDocument", &show::encoded(document.text()));
    }))
}

pub(super) async fn delete<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let holder = call.holder::<R>()?;
    let name = call.form.required("PolicyName")?.to_owned();
    let change = move |_: &_, holder: &mut R| {
        let whose = holder.name().to_owned();
        holder.policies_mut().inline.remove(&name).map(drop).ok_or_else(|| missing::<R>(&name, &whose))
    };
    call.plane.directory.edit(call.account, holder.name(), change).await?;
    Ok(show::nothing())
}

pub(super) fn list<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let holder = call.holder::<R>()?;
    let names = holder.policies().inline.keys();
    show::page(call, "PolicyNames", names, |name| (*name).clone(), |xml, name| xml.value(name))
}

fn missing<R: HolderRecord>(name: &str, whose: &str) -> crate::error::ApiError {
    errors::no_such_entity(format!("The {} {whose} has no policy with name {name}.", R::WORD))
}
