//! Transforms of pictures: `resize`, `watermark` and the picture half of `convert`.
//!
//! A picture cannot be transformed before all of it is there, so the shared [`stage`] gathers the object (up to
//! [`Limits::buffered_bytes`](crate::Limits)), looks at its header as soon as that has arrived, and does the work
//! in `finish`. Every byte that is decoded goes through [`decode`], which checks the declared size against
//! [`Limits::pixels`](crate::Limits) before it allocates anything.
//!
//! # Layout
//! - `payload`: reads payloads; the types that they share (colours, formats).
//! - `probe`: what an object is, and how large, by its first bytes; `jpeg` and `riff` walk those containers.
//! - `decode` → `picture` (pixels), `orient` (EXIF), `fit` (geometry), `scale` (Lanczos) → `encode`, `icc`.
//! - `text`, `stamp`: drawing of watermarks.
//! - `resize`, `watermark`, `convert`: one file a transform.

mod decode;
mod encode;
mod fit;
mod icc;
mod jpeg;
mod num;
mod orient;
mod payload;
mod picture;
mod probe;
mod riff;
mod scale;
mod stage;
mod stamp;
mod text;

pub mod convert;
pub mod resize;
pub mod watermark;

#[cfg(test)]
mod tests;
