//! Landlock: the kernel's own word on files, beside the mounts. What is not named here cannot be written, or run,
//! whatever a mount allows.

use std::io;

use landlock::{
    ABI, Access, AccessFs, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope,
};

/// What is asked of the kernel; older ones do what they can of it.
const WANTED: ABI = ABI::V7;

/// Restricts this process and all that it becomes, once its root is made. Answers the version of Landlock that does so;
/// 0 where the kernel has none.
///
/// # Errors
/// The kernel has it and refuses.
pub(super) fn restrict() -> io::Result<u8> {
    let read = AccessFs::from_read(WANTED);
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev;
    let places = [("/", read), ("/tmp", AccessFs::from_all(WANTED)), ("/dev", device)];
    let rules = places.map(|(path, access)| PathFd::new(path).map(|found| PathBeneath::new(found, access)));
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(WANTED))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(WANTED)))
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    for rule in rules {
        ruleset = ruleset.add_rule(rule.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let status = ruleset.restrict_self().map_err(io::Error::other)?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => version(effective_abi),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    })
}

fn version(abi: ABI) -> u8 {
    // It is a name; the kernel's number is what it was made from.
    u8::try_from(abi as i32).unwrap_or(0)
}
