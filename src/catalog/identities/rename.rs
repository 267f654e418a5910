//! New names for users and groups, and for what refers to them.

use std::collections::BTreeSet;

use crate::catalog::{AccessKey, Change, View};
use crate::error::ApiError;

use super::directory::find;
use super::records::{Group, User};
use super::{Directory, Record, errors, key, limits, names};

impl Directory {
    /// Gives a user another name, another path, or both. Its id, keys and policies stay.
    ///
    /// # Errors
    /// 404 NoSuchEntity; 409 EntityAlreadyExists; 400 ValidationError.
    pub async fn update_user(
        &self,
        account: &str,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&str>,
    ) -> Result<(), ApiError> {
        check(new_name.map(|name| ("newUserName", name, limits::USER_NAME)), new_path)?;
        let (account, name) = (account.to_owned(), name.to_owned());
        let (new_name, new_path) = (new_name.map(str::to_owned), new_path.map(str::to_owned));
        let decide = move |view: &View| {
            let old = find::<User>(view, &account, &name)?;
            let mut user = User::clone(&old);
            user.path = new_path.unwrap_or(user.path);
            user.name = new_name.unwrap_or(user.name);
            let mut changes = moved(view, &*old, &user)?;
            if old.name != user.name {
                for held in view.keys_of(&account, Some(&old.name)) {
                    let key =
                        AccessKey { user: Some(user.name.to_ascii_lowercase()), ..AccessKey::clone(held) };
                    changes.push(Change::PutAccessKey(key));
                }
            }
            changes.push(Change::PutIdentity(Box::new(user.entity())));
            Ok(changes)
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Gives a group another name, another path, or both. Its id, members and policies stay.
    ///
    /// # Errors
    /// 404 NoSuchEntity; 409 EntityAlreadyExists; 400 ValidationError.
    pub async fn update_group(
        &self,
        account: &str,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&str>,
    ) -> Result<(), ApiError> {
        check(new_name.map(|name| ("newGroupName", name, limits::GROUP_NAME)), new_path)?;
        let (account, name) = (account.to_owned(), name.to_owned());
        let (new_name, new_path) = (new_name.map(str::to_owned), new_path.map(str::to_owned));
        let decide = move |view: &View| {
            let old = find::<Group>(view, &account, &name)?;
            let mut group = Group::clone(&old);
            group.path = new_path.unwrap_or(group.path);
            group.name = new_name.unwrap_or(group.name);
            let mut changes = moved(view, &*old, &group)?;
            let (was, is) = (old.name.to_ascii_lowercase(), group.name.to_ascii_lowercase());
            let members = view.identities.list::<User>(&account).filter(|user| user.groups.contains(&was));
            for member in members.filter(|_| was != is) {
                let mut groups: BTreeSet<String> = member.groups.clone();
                groups.remove(&was);
                groups.insert(is.clone());
                let member = User { groups, ..User::clone(member) };
                changes.push(Change::PutIdentity(Box::new(member.entity())));
            }
            changes.push(Change::PutIdentity(Box::new(group.entity())));
            Ok(changes)
        };
        self.catalog.update(Box::new(decide)).await
    }
}

fn check(new_name: Option<(&str, &str, usize)>, new_path: Option<&str>) -> Result<(), ApiError> {
    if let Some((field, name, most)) = new_name {
        names::check_name(field, name, most)?;
    }
    new_path.map_or(Ok(()), names::check_path)
}

/// What takes the old record away where the new one has another key.
fn moved<R: Record>(view: &View, old: &R, new: &R) -> Result<Vec<Change>, ApiError> {
    let (was, is) = (key(old.account(), old.name()), key(new.account(), new.name()));
    if was == is {
        return Ok(Vec::new());
    }
    if R::all(&view.identities).contains_key(&is) {
        return Err(errors::exists(R::WORD, new.name()));
    }
    Ok(vec![Change::DeleteIdentity(R::KIND, was)])
}
