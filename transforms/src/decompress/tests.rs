//! Tests of `decompress`: what it recognises, refuses and caps.

use std::io::Write;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{assert_split_free, run_split};
use crate::{Input, run};

fn gz(data: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    e.write_all(data).unwrap();
    e.finish().unwrap()
}

fn packed(algorithm: &str, data: &[u8]) -> Vec<u8> {
    let compress = crate::compress::build(&json!({"algorithm": algorithm})).unwrap();
    run(&*compress, &Context::default(), data).unwrap().1
}

fn encoded(coding: &str) -> Context {
    let input = Input { content_encoding: Some(coding.into()), ..Input::default() };
    Context { input, ..Context::default() }
}

fn plain() -> Arc<dyn Transform> {
    // Through the registry, for that is where the caps are.
    crate::build("decompress", &json!({})).unwrap()
}

#[test]
fn members_and_frames_one_after_another_are_one_object() {
    let two = [gz(b"hello "), gz(b"world")].concat();
    assert_eq!(run(&*plain(), &Context::default(), &two).unwrap().1, b"hello world");
    assert_split_free(&*plain(), &Context::default(), &two);
    // A skippable frame of three bytes stands before and between.
    let skip = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    let frames = [skip.clone(), packed("zstd", b"hello "), skip, packed("zstd", b"world")].concat();
    assert_eq!(run(&*plain(), &Context::default(), &frames).unwrap().1, b"hello world");
    assert_split_free(&*plain(), &Context::default(), &frames);
    assert_split_free(&*plain(), &encoded("br"), &packed("brotli", b"hello world"));
}

#[test]
fn codings_on_top_of_each_other_are_undone_from_the_last() {
    let data = vec![b'x'; 300_000];
    let both = packed("zstd", &gz(&data));
    let (head, out) = run(&*plain(), &encoded("gzip, zstd"), &both).unwrap();
    assert_eq!(head.content_encoding, Some(None));
    assert!(out == data);
    assert_split_free(&*plain(), &encoded("gzip, zstd"), &both);
    let three = packed("brotli", &both);
    assert!(run(&*plain(), &encoded("gzip, zstd, br"), &three).unwrap().1 == data);
}

#[test]
fn the_end_must_not_be_missing() {
    let data: Vec<u8> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
    for (algorithm, coding) in [("gzip", "gzip"), ("zstd", "zstd"), ("brotli", "br")] {
        let whole = packed(algorithm, &data);
        assert!(run(&*plain(), &encoded(coding), &whole).unwrap().1 == data);
        for cut in 0..whole.len() {
            let answer = run(&*plain(), &encoded(coding), &whole[..cut]);
            assert!(matches!(answer, Err(TransformError::BadInput(_))), "{algorithm} cut at {cut}");
        }
    }
}

#[test]
fn bytes_after_the_end_and_changed_bytes_are_refused() {
    for (algorithm, coding) in [("gzip", "gzip"), ("zstd", "zstd"), ("brotli", "br")] {
        let mut long = packed(algorithm, b"hello");
        long.extend_from_slice(b"garbage that is not a frame");
        assert!(
            matches!(run(&*plain(), &encoded(coding), &long), Err(TransformError::BadInput(_))),
            "{coding}"
        );
    }
    let mut changed = gz(b"hello hello hello hello");
    let at = changed.len() - 6;
    changed[at] ^= 1;
    assert!(matches!(run(&*plain(), &Context::default(), &changed), Err(TransformError::BadInput(_))));
}

#[test]
fn what_is_not_compressed_is_named() {
    let says = |data: &[u8]| match run(&*plain(), &Context::default(), data) {
        Err(TransformError::BadInput(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(says(b"id,name\n").contains("begins with the text \"id,n\""));
    assert!(says(b"").contains("is empty"));
    assert!(says(b"\x89PNG\r\n").contains("PNG"));
    assert!(says(b"\x00\x01\x02\x03").contains("00010203"));
    let pass = build(&json!({"plain": "pass"})).unwrap();
    let (head, out) = run(&*pass, &Context::default(), b"id,name\n").unwrap();
    assert_eq!((head, out.as_slice()), (Head::default(), b"id,name\n".as_slice()));
    assert!(matches!(run(&*plain(), &encoded("deflate"), b"x"), Err(TransformError::BadInput(_))));
    let many = run(&*plain(), &encoded("gzip,gzip,gzip,gzip,gzip"), b"x");
    assert_eq!(many, Err(TransformError::Limit { what: "content codings", limit: 4 }));
}

#[test]
fn a_content_type_that_told_of_the_compression_gives_way() {
    let mut context = Context::default();
    context.input.key = "logs/people.CSV.gz".into();
    context.input.content_type = Some("application/gzip".into());
    let (head, _) = run(&*plain(), &context, &gz(b"a,b\n")).unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/csv"));
    context.input.content_type = Some("text/csv".into());
    let (head, _) = run(&*plain(), &context, &gz(b"a,b\n")).unwrap();
    assert_eq!(head.content_type, None);
}

/// Writes `mib` MiB of zeros through an encoder.
fn zeros(mut sink: impl Write, mib: usize) {
    let block = vec![0; 1 << 20];
    for _ in 0..mib {
        sink.write_all(&block).unwrap();
    }
}

#[test]
fn a_gibibyte_of_zeros_ends_at_the_ratio() {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zeros(&mut e, 64);
    // Sixteen members of 64 MiB: the same as one of a GiB to the decoder, and quick to make.
    let bomb = e.finish().unwrap().repeat(16);
    let answer = run(&*plain(), &Context::default(), &bomb).map(|(_, bytes)| bytes.len());
    assert_eq!(answer, Err(TransformError::Limit { what: "output bytes for each input byte", limit: 200 }));
    let limits = Limits { ratio: u64::MAX, output_bytes: 1 << 20, ..Limits::default() };
    let context = Context { limits, ..Context::default() };
    assert_eq!(
        run(&*plain(), &context, &bomb).map(|(_, bytes)| bytes.len()),
        Err(TransformError::Limit { what: "output bytes", limit: 1 << 20 })
    );
    for (algorithm, coding) in [("zstd", "zstd"), ("brotli", "br")] {
        let bomb = packed(algorithm, &vec![0; 64 << 20]);
        let answer = run(&*plain(), &encoded(coding), &bomb);
        assert!(matches!(answer, Err(TransformError::Limit { limit: 200, .. })), "{algorithm}");
    }
}

#[test]
fn a_stage_yields_at_the_high_water_mark() {
    let bomb = gz(&vec![0; 8 << 20]);
    for (coding, bytes) in [("gzip", bomb.clone()), ("gzip, zstd", packed("zstd", &bomb))] {
        let mut stage = plain().start(&encoded(coding)).unwrap();
        let mut output = Vec::new();
        stage.write(&bytes, &mut output).unwrap();
        assert!(output.len() < HIGH_WATER + 2 * STEP, "{}", output.len());
    }
}

#[test]
fn a_zstd_window_beyond_the_memory_cap_is_refused() {
    // Frame header: no content size, window descriptor 0xa0 = 2^(10 + 20) bytes.
    let frame = b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00".to_vec();
    let padded = [frame, vec![0; 32]].concat();
    assert!(matches!(run(&*plain(), &Context::default(), &padded), Err(TransformError::BadInput(_))));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_splits_do_not_matter(
        data in prop::collection::vec(any::<u8>(), 0..200),
        which in 0..4_usize,
        cut in any::<prop::sample::Index>(),
    ) {
        let magic: &[u8] = [b"".as_slice(), b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x1b"][which];
        let coding = ["", "gzip", "zstd", "br"][which];
        let data = [magic, &data].concat();
        let context = encoded(coding);
        let whole = run(&*plain(), &context, &data);
        let split = run_split(&*plain(), &context, &data, cut.index(data.len() + 1));
        prop_assert_eq!(whole.is_ok(), split.is_ok());
        if let (Ok(a), Ok(b)) = (whole, split) {
            prop_assert_eq!(a, b);
        }
    }
}
