//! The table of operations.

use crate::catalog::identities::{Group, Role, User};
use crate::error::ApiError;
use crate::policy;

use super::call::{Answer, Call};
use super::{account, attached, groups, inline, keys, policies, providers, roles, simulate, users};

/// Runs the operation that a request names.
pub(super) async fn run(call: &Call<'_>) -> Answer {
    match call.action {
        "CreateUser" => users::create(call).await,
        "GetUser" => users::get(call),
        "UpdateUser" => users::update(call).await,
        "DeleteUser" => users::delete(call).await,
        "ListUsers" => users::list(call),
        "TagUser" => users::tag(call).await,
        "UntagUser" => users::untag(call).await,
        "ListUserTags" => users::list_tags(call),
        "PutUserPermissionsBoundary" => {
            users::set_boundary(call, Some(call.form.required("PermissionsBoundary")?)).await
        }
        "DeleteUserPermissionsBoundary" => users::set_boundary(call, None).await,
        "CreateGroup" => groups::create(call).await,
        "GetGroup" => groups::get(call),
        "UpdateGroup" => groups::update(call).await,
        "DeleteGroup" => groups::delete(call).await,
        "ListGroups" => groups::list(call),
        "AddUserToGroup" => groups::add_user(call).await,
        "RemoveUserFromGroup" => groups::remove_user(call).await,
        "ListGroupsForUser" => groups::list_for_user(call),
        "CreateRole" => roles::create(call).await,
        "GetRole" => roles::get(call),
        "UpdateRole" | "UpdateRoleDescription" => roles::update(call).await,
        "UpdateAssumeRolePolicy" => roles::update_trust(call).await,
        "DeleteRole" => roles::delete(call).await,
        "ListRoles" => roles::list(call),
        "TagRole" => roles::tag(call).await,
        "UntagRole" => roles::untag(call).await,
        "ListRoleTags" => roles::list_tags(call),
        "PutRolePermissionsBoundary" => {
            roles::set_boundary(call, Some(call.form.required("PermissionsBoundary")?)).await
        }
        "DeleteRolePermissionsBoundary" => roles::set_boundary(call, None).await,
        "PutUserPolicy" => inline::put::<User>(call).await,
        "PutGroupPolicy" => inline::put::<Group>(call).await,
        "PutRolePolicy" => inline::put::<Role>(call).await,
        "GetUserPolicy" => inline::get::<User>(call),
        "GetGroupPolicy" => inline::get::<Group>(call),
        "GetRolePolicy" => inline::get::<Role>(call),
        "DeleteUserPolicy" => inline::delete::<User>(call).await,
        "DeleteGroupPolicy" => inline::delete::<Group>(call).await,
        "DeleteRolePolicy" => inline::delete::<Role>(call).await,
        "ListUserPolicies" => inline::list::<User>(call),
        "ListGroupPolicies" => inline::list::<Group>(call),
        "ListRolePolicies" => inline::list::<Role>(call),
        "AttachUserPolicy" => attached::attach::<User>(call).await,
        "AttachGroupPolicy" => attached::attach::<Group>(call).await,
        "AttachRolePolicy" => attached::attach::<Role>(call).await,
        "DetachUserPolicy" => attached::detach::<User>(call).await,
        "DetachGroupPolicy" => attached::detach::<Group>(call).await,
        "DetachRolePolicy" => attached::detach::<Role>(call).await,
        "ListAttachedUserPolicies" => attached::list::<User>(call),
        "ListAttachedGroupPolicies" => attached::list::<Group>(call),
        "ListAttachedRolePolicies" => attached::list::<Role>(call),
        "ListEntitiesForPolicy" => attached::entities(call),
        "CreatePolicy" => policies::create(call).await,
        "GetPolicy" => policies::get(call),
        "DeletePolicy" => policies::delete(call).await,
        "ListPolicies" => policies::list(call),
        "CreatePolicyVersion" => policies::create_version(call).await,
        "GetPolicyVersion" => policies::get_version(call),
        "ListPolicyVersions" => policies::list_versions(call),
        "DeletePolicyVersion" => policies::delete_version(call).await,
        "SetDefaultPolicyVersion" => policies::set_default(call).await,
        "TagPolicy" => policies::tag(call).await,
        "UntagPolicy" => policies::untag(call).await,
        "ListPolicyTags" => policies::list_tags(call),
        "CreateAccessKey" => keys::create(call).await,
        "UpdateAccessKey" => keys::update(call).await,
        "DeleteAccessKey" => keys::delete(call).await,
        "ListAccessKeys" => keys::list(call),
        "GetAccessKeyLastUsed" => keys::last_used(call),
        "CreateOpenIDConnectProvider" => providers::create(call).await,
        "GetOpenIDConnectProvider" => providers::get(call),
        "ListOpenIDConnectProviders" => providers::list(call),
        "DeleteOpenIDConnectProvider" => providers::delete(call).await,
        "UpdateOpenIDConnectProviderThumbprint" => providers::update_thumbprints(call).await,
        "AddClientIDToOpenIDConnectProvider" => providers::add_client_id(call).await,
        "RemoveClientIDFromOpenIDConnectProvider" => providers::remove_client_id(call).await,
        "TagOpenIDConnectProvider" => providers::tag(call).await,
        "UntagOpenIDConnectProvider" => providers::untag(call).await,
        "ListOpenIDConnectProviderTags" => providers::list_tags(call),
        "GetAccountSummary" => account::summary(call),
        "GetAccountAuthorizationDetails" => account::details(call),
        "ListAccountAliases" => account::aliases(call),
        "SimulatePrincipalPolicy" => simulate::principal(call),
        "SimulateCustomPolicy" => simulate::custom(call),
        action if policy::is_action("iam", action) => {
            call.allow_any()?;
            Err(ApiError::not_implemented(format!("{action} is not implemented")))
        }
        action => Err(ApiError::new(
            http::StatusCode::BAD_REQUEST,
            "InvalidAction",
            format!("Could not find operation {action} for version 2010-05-08"),
        )),
    }
}
