//! Which bucket, access point or Object Lambda access point a request means: names, aliases, ARNs, hosts.
//!
//! - [`names`]: what a point may be called.
//! - [`alias`]: the name that works wherever a bucket's does.
//! - [`arn`]: ARNs of points and functions.
//! - [`host`]: what the shape of an authority says.
//! - [`registrar`]: creates, changes and deletes points, for the planes that do.
//! - [`target`]: from host and path to a [`Target`], a pure function over a snapshot.

pub mod alias;
pub mod arn;
pub mod host;
pub mod names;
pub mod registrar;
pub mod target;

pub use arn::{FunctionArn, PointArn, PointKind, point_arn};
pub use registrar::{NewAccessPoint, NewObjectLambda, Registrar};
pub use target::{Addressed, Target};
