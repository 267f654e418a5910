//! What the tests of several transforms share: runs at chosen split points, and the examples of the documentation.

use serde_json::Value;

use crate::{Context, Head, Progress, Transform, TransformError};

/// Runs a transform with the input cut into the given pieces, draining the output after every call.
pub(crate) fn run_pieces<'a>(
    transform: &dyn Transform,
    context: &Context,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Head, Vec<u8>), TransformError> {
    let mut stage = transform.start(context)?;
    let (mut output, mut all) = (Vec::new(), Vec::new());
    for mut piece in pieces {
        while !piece.is_empty() {
            let taken = stage.write(piece, &mut output)?;
            assert!(taken > 0 || output.len() >= crate::stage::HIGH_WATER, "no progress");
            piece = &piece[taken..];
            all.append(&mut output);
        }
    }
    loop {
        let progress = stage.finish(&mut output)?;
        all.append(&mut output);
        if progress == Progress::Done {
            return Ok((stage.head(), all));
        }
    }
}

/// Runs with the input cut in two at `at`.
pub(crate) fn run_split(
    transform: &dyn Transform,
    context: &Context,
    input: &[u8],
    at: usize,
) -> Result<(Head, Vec<u8>), TransformError> {
    let (a, b) = input.split_at(at);
    run_pieces(transform, context, [a, b])
}

/// Asserts that the answer is the same whole, at every single split point, and byte by byte.
pub(crate) fn assert_split_free(transform: &dyn Transform, context: &Context, input: &[u8]) {
    let whole = crate::run(transform, context, input);
    for at in 0..=input.len() {
        assert_eq!(run_split(transform, context, input, at), whole, "split at {at}");
    }
    assert_eq!(run_pieces(transform, context, input.chunks(1)), whole, "byte by byte");
}

/// The JSON examples of a source file's doc comments or of a Markdown page: every fenced `json` block.
pub(crate) fn json_examples(text: &str) -> Vec<Value> {
    let mut examples = Vec::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        let line = line.trim_start().trim_start_matches("///").trim();
        match (&mut current, line) {
            (None, "```json") => current = Some(String::new()),
            (Some(block), "```") => {
                examples.push(serde_json::from_str(block).unwrap_or_else(|e| panic!("{e} in {block}")));
                current = None;
            }
            (Some(block), line) => block.push_str(line),
            (None, _) => {}
        }
    }
    examples
}
