//! One SigV4 verifier for every plane.

mod principal;
mod trailers;

pub use principal::{Principal, PrincipalKind};
pub use trailers::Trailers;
