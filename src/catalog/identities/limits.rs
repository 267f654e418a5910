//! How much of it an account may have: AWS's quotas (IAM user guide, "IAM and AWS STS quotas").

/// Users of an account.
pub const USERS: usize = 5_000;
/// Groups of an account.
pub const GROUPS: usize = 300;
/// Roles of an account.
pub const ROLES: usize = 1_000;
/// Managed policies of an account.
pub const POLICIES: usize = 1_500;
/// OIDC providers of an account.
pub const PROVIDERS: usize = 100;
/// Versions of a managed policy.
pub const VERSIONS: usize = 5;
/// Managed policies that are attached to a user, group or role.
pub const ATTACHED: usize = 10;
/// Groups of a user.
pub const GROUPS_PER_USER: usize = 10;
/// Access keys of a user.
pub const ACCESS_KEYS: usize = 2;
/// Tags of a user, role, policy or provider.
pub const TAGS: usize = 50;
/// Client ids of a provider.
pub const CLIENT_IDS: usize = 100;
/// Thumbprints of a provider.
pub const THUMBPRINTS: usize = 5;
/// Characters of a user's name.
pub const USER_NAME: usize = 64;
/// Characters of a group's name.
pub const GROUP_NAME: usize = 128;
/// Characters of a role's name.
pub const ROLE_NAME: usize = 64;
/// Characters of a policy's name.
pub const POLICY_NAME: usize = 128;
/// Characters of a path.
pub const PATH: usize = 512;
/// Characters of a description.
pub const DESCRIPTION: usize = 1_000;
/// Seconds of a role's session, at least and at most.
pub const SESSION: std::ops::RangeInclusive<u32> = 3_600..=43_200;
/// Seconds of a role's session where the role says nothing.
pub const DEFAULT_SESSION: u32 = 3_600;
