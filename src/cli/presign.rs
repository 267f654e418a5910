//! Presigned URLs for the demo.

use std::time::{Duration, SystemTime};

use http::Method;

use crate::auth::Signer;
use crate::catalog::KeyPair;

use super::Failure;

/// A URL that gives whoever has it a GET for a while.
pub(super) fn get(url: &str, pair: &KeyPair, region: &str, expires: Duration) -> Result<String, Failure> {
    let signer = Signer {
        access_key_id: &pair.access_key_id,
        secret: &pair.secret,
        region,
        time: SystemTime::now(),
        signing: None,
    };
    signer.presign(&Method::GET, url, &[], expires).map_err(|error| Failure::new(error.to_string()))
}
