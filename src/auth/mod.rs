//! One SigV4 verifier for every plane.
