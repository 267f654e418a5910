//! What users, groups and roles have in common for the plane: a name field, an ARN, and policies.

use crate::catalog::Tags;
use crate::catalog::identities::{Group, Holder, Policies, Record, Role, User};

/// A user, group or role.
pub(super) trait HolderRecord: Record {
    /// The field that names it.
    const PARAMETER: &'static str;
    /// What it is.
    const HOLDER: Holder;

    fn arn(&self) -> String;
    fn policies(&self) -> &Policies;
    fn policies_mut(&mut self) -> &mut Policies;
    fn tags(&self) -> Option<&Tags>;
    fn boundary(&self) -> Option<&str>;
}

impl HolderRecord for User {
    const PARAMETER: &'static str = "UserName";
    const HOLDER: Holder = Holder::User;

    fn arn(&self) -> String {
        self.arn()
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }
}

impl HolderRecord for Group {
    const PARAMETER: &'static str = "GroupName";
    const HOLDER: Holder = Holder::Group;

    fn arn(&self) -> String {
        self.arn()
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    fn boundary(&self) -> Option<&str> {
        None
    }
}

impl HolderRecord for Role {
    const PARAMETER: &'static str = "RoleName";
    const HOLDER: Holder = Holder::Role;

    fn arn(&self) -> String {
        self.arn()
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }
}
