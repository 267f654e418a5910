//! Tests of the picture transforms from the outside: payload and bytes in, bytes out.

mod damage;
mod formats;
mod payloads;
mod support;
mod watermarks;
