//! `compress`: gzip, zstd or brotli, by name or by what the caller accepts.

mod encoder;
mod negotiate;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use self::encoder::Encoder;
use crate::stage::{HIGH_WATER, Passthrough};
use crate::{Context, Head, PayloadError, Progress, Stage, Transform, TransformError, payload};

/// Input bytes given to an encoder at a time, so that output is looked at between: 64 KiB.
const BLOCK: usize = 64 << 10;

/// Payload of `compress`.
///
/// ```json
/// {"algorithm": "zstd", "level": 3}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// Default `gzip`.
    algorithm: Choice,
    /// gzip 0–9 (default 6), zstd 1–19 (3), brotli 0–11 (4). Not with `auto`.
    level: Option<i64>,
    /// Compress an object that already has a Content-Encoding once more.
    force: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    #[default]
    Gzip,
    Zstd,
    Brotli,
    Auto,
}

/// A compression algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Gzip,
    Zstd,
    Brotli,
}

impl Algorithm {
    /// Its name as a content coding (RFC 9110 section 8.4.1; RFC 8878; RFC 7932).
    fn coding(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// Lowest, default and highest level. zstd stops at 19, for more needs over 100 MiB a stream.
    fn levels(self) -> (u32, u32, u32) {
        match self {
            Self::Gzip => (0, 6, 9),
            Self::Zstd => (1, 3, 19),
            Self::Brotli => (0, 4, 11),
        }
    }
}

/// Builds `compress`.
///
/// # Errors
/// An unknown algorithm or field, a level outside the algorithm's range, a level with `auto`.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let Payload { algorithm, level, force } = payload::parse("compress", payload)?;
    let fixed = match algorithm {
        Choice::Gzip => Some(Algorithm::Gzip),
        Choice::Zstd => Some(Algorithm::Zstd),
        Choice::Brotli => Some(Algorithm::Brotli),
        Choice::Auto => None,
    };
    let fixed = match (fixed, level) {
        (None, Some(_)) => {
            let message = "needs an `algorithm` other than auto, for each has levels of its own";
            return Err(payload::error("compress", "level", message));
        }
        (None, None) => None,
        (Some(algorithm), None) => Some((algorithm, algorithm.levels().1)),
        (Some(algorithm), Some(level)) => {
            let (lowest, _, highest) = algorithm.levels();
            let fits = u32::try_from(level).ok().filter(|l| (lowest..=highest).contains(l));
            let level = fits.ok_or_else(|| {
                let range = format!("{level} is outside {lowest} to {highest}, the range of {algorithm:?}");
                payload::error("compress", "level", range.to_lowercase())
            })?;
            Some((algorithm, level))
        }
    };
    Ok(Arc::new(Compress { fixed, force }))
}

#[derive(Debug)]
struct Compress {
    /// `None` negotiates.
    fixed: Option<(Algorithm, u32)>,
    force: bool,
}

impl Transform for Compress {
    fn varies_by_caller(&self) -> bool {
        self.fixed.is_none()
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        let mut head = Head::default();
        if self.fixed.is_none() {
            head.vary.push("Accept-Encoding");
        }
        let present = context.input.codings();
        let chosen = match self.fixed {
            _ if !present.is_empty() && !self.force => None,
            Some(fixed) => Some(fixed),
            None => negotiate::choose(context.accept_encoding.as_deref().unwrap_or_default())
                .map(|algorithm| (algorithm, algorithm.levels().1)),
        };
        let Some((algorithm, level)) = chosen else {
            return Ok(Box::new(Passthrough::with_head(head)));
        };
        let mut codings = present;
        codings.push(algorithm.coding().to_owned());
        head.content_encoding = Some(Some(codings.join(", ")));
        Ok(Box::new(CompressStage { encoder: Encoder::new(algorithm, level)?, head }))
    }
}

struct CompressStage {
    encoder: Encoder,
    head: Head,
}

impl Stage for CompressStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let mut taken = 0;
        for block in input.chunks(BLOCK) {
            if output.len() >= HIGH_WATER {
                break;
            }
            self.encoder.write(block, output)?;
            taken += block.len();
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        self.encoder.finish(output)?;
        Ok(Progress::Done)
    }

    fn head(&self) -> Head {
        self.head.clone()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Input, run};

    fn context(accept: Option<&str>, encoding: Option<&str>) -> Context {
        let input = Input { content_encoding: encoding.map(str::to_owned), ..Input::default() };
        Context { input, accept_encoding: accept.map(str::to_owned), ..Context::default() }
    }

    fn round_trip(payload: &Value, data: &[u8]) {
        let (head, packed) = run(&*build(payload).unwrap(), &Context::default(), data).unwrap();
        let encoding = head.content_encoding.unwrap().unwrap();
        let back = crate::decompress::build(&json!({})).unwrap();
        let (head, plain) = run(&*back, &context(None, Some(&encoding)), &packed).unwrap();
        assert_eq!(head.content_encoding, Some(None));
        assert!(plain == data, "{payload}");
    }

    #[test]
    fn every_algorithm_and_level_round_trips() {
        let data: Vec<u8> =
            (0..200_000_u64).flat_map(|i| (i / 7 * i % 1000).to_string().into_bytes()).collect();
        for (algorithm, levels) in [("gzip", 0..=9), ("zstd", 1..=19), ("brotli", 0..=11)] {
            for level in levels.step_by(5) {
                round_trip(&json!({"algorithm": algorithm, "level": level}), &data);
            }
            round_trip(&json!({"algorithm": algorithm}), b"");
        }
    }

    #[test]
    fn gzip_is_the_default_and_names_no_time() {
        let (head, packed) = run(&*build(&json!({})).unwrap(), &Context::default(), b"abc").unwrap();
        assert_eq!(head.content_encoding, Some(Some("gzip".into())));
        assert_eq!(head.content_type, None);
        assert_eq!(&packed[..4], b"\x1f\x8b\x08\x00");
        assert_eq!(&packed[4..8], b"\0\0\0\0", "mtime");
    }

    #[test]
    fn levels_outside_the_range_are_refused() {
        for (payload, says) in [
            (json!({"algorithm": "gzip", "level": 10}), "0 to 9"),
            (json!({"algorithm": "zstd", "level": 0}), "1 to 19"),
            (json!({"algorithm": "zstd", "level": 20}), "1 to 19"),
            (json!({"algorithm": "brotli", "level": 12}), "0 to 11"),
            (json!({"algorithm": "brotli", "level": -1}), "0 to 11"),
            (json!({"algorithm": "auto", "level": 3}), "other than auto"),
        ] {
            let e = build(&payload).unwrap_err();
            assert_eq!(e.path, "level");
            assert!(e.message.contains(says), "{e}");
        }
        let e = build(&json!({"algorithm": "lz4"})).unwrap_err();
        assert_eq!(e.path, "algorithm");
        assert!(e.message.contains("gzip"), "{e}");
    }

    #[test]
    fn auto_follows_accept_encoding_and_says_so() {
        let auto = build(&json!({"algorithm": "auto"})).unwrap();
        assert!(auto.varies_by_caller());
        for (accept, coding) in [
            (Some("gzip, br"), Some("br")),
            (Some("gzip"), Some("gzip")),
            (Some("identity"), None),
            (None, None),
        ] {
            let (head, out) = run(&*auto, &context(accept, None), b"hello hello hello").unwrap();
            assert_eq!(head.vary, ["Accept-Encoding"]);
            assert_eq!(head.content_encoding, coding.map(|c| Some(c.to_owned())));
            assert_eq!(out == b"hello hello hello", coding.is_none());
        }
        assert!(!build(&json!({"algorithm": "gzip"})).unwrap().varies_by_caller());
    }

    #[test]
    fn an_encoded_object_passes_unless_forced() {
        let (head, out) = run(&*build(&json!({})).unwrap(), &context(None, Some("br")), b"xyz").unwrap();
        assert_eq!((head, out.as_slice()), (Head::default(), b"xyz".as_slice()));
        let forced = build(&json!({"force": true, "algorithm": "zstd"})).unwrap();
        let (head, _) = run(&*forced, &context(None, Some("gzip")), b"xyz").unwrap();
        assert_eq!(head.content_encoding, Some(Some("gzip, zstd".into())));
        let (head, _) = run(&*forced, &context(None, Some("aws-chunked")), b"xyz").unwrap();
        assert_eq!(head.content_encoding, Some(Some("zstd".into())));
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_round_trip(
            data in prop::collection::vec(any::<u8>(), 0..5000),
            cut in any::<prop::sample::Index>(),
            which in 0..3_usize,
        ) {
            let algorithm = ["gzip", "zstd", "brotli"][which];
            let transform = build(&json!({"algorithm": algorithm})).unwrap();
            let at = cut.index(data.len() + 1);
            let (head, packed) = crate::testing::run_split(&*transform, &Context::default(), &data, at).unwrap();
            let encoding = head.content_encoding.unwrap().unwrap();
            let back = crate::decompress::build(&json!({})).unwrap();
            let (_, plain) = run(&*back, &context(None, Some(&encoding)), &packed).unwrap();
            prop_assert_eq!(plain, data);
        }
    }
}
