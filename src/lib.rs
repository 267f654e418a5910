//! Refract: an S3-compatible object store that shows an object through lenses.
//!
//! **Access points** give a bucket other names with policies of their own; **Object Lambda access points**
//! (OLAPs) route GET, HEAD and LIST through a transform function before the caller sees the answer.
//!
//! # Layout
//! The folders stand in the order in which one GET through an OLAP passes them:
//! 1. [`server`]: listener, TLS, request heads as they came, limits, drain.
//! 2. [`door`]: which plane is this request for? classify → authenticate → dispatch.
//! 3. [`auth`]: one SigV4 verifier for every plane.
//! 4. [`access_point`]: host, alias, ARN or bucket → what is meant.
//! 5. [`policy`]: may this principal do this?
//! 6. [`object_lambda`]: source object → function → answer; ranges and errors.
//! 7. [`function`]: the functions and their runtimes.
//!
//! [`policy`] is asked at each gate on the way: by [`object_lambda`] at the lens and the function, and once more, at the
//! access point and the bucket, when [`s3`] opens the source object.
//!
//! Beside that line stand the other planes, [`s3`], [`control`], [`lambda_api`], [`iam`] and [`sts`] (both by [`query`]),
//! [`website`] and [`admin`]; what runs in the background, [`lifecycle`], [`notification`] and [`access_log`]; and below
//! them what they stand on: [`catalog`] (points, functions, identities, keys), [`store`] (objects and buckets, configured
//! by [`bucket`]), [`encryption`], [`bodies`] (what is held of requests), [`telemetry`]. [`config`] becomes a server in
//! [`instance`]; [`context`] is what a request carries, [`headers`] are the names of its headers;
//! [`priority`] is for what may wait.

pub mod access_log;
pub mod access_point;
pub mod admin;
pub mod auth;
pub mod bodies;
pub mod bucket;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod context;
pub mod control;
pub mod demo;
pub mod door;
pub mod encryption;
pub mod error;
pub mod function;
pub mod headers;
pub mod iam;
pub mod instance;
pub mod lambda_api;
pub mod lifecycle;
pub mod notification;
pub mod object_lambda;
pub mod policy;
pub mod priority;
pub mod query;
pub mod s3;
pub mod secret;
pub mod server;
pub mod store;
pub mod sts;
pub mod telemetry;
pub mod website;
pub mod xml;
