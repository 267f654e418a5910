//! `pipeline`: several transforms one after another, streaming from each to the next.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::stage::HIGH_WATER;
use crate::{Context, Head, PayloadError, Progress, Stage, Transform, TransformError, payload, registry};

/// Steps of one pipeline.
const STEPS_MAX: usize = 16;

/// How deep pipelines may stand in each other.
const DEPTH_MAX: usize = 3;

/// Payload of `pipeline`.
///
/// ```json
/// {
///   "steps": [
///     {"name": "decompress", "payload": {"plain": "pass"}},
///     {"name": "redact"},
///     {"name": "compress", "payload": {"algorithm": "zstd"}}
///   ]
/// }
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// The steps in order, at most 16. None is `identity`.
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Name of a transform.
    name: String,
    /// Its payload; absent means its defaults.
    #[serde(default)]
    payload: Value,
}

/// Builds `pipeline`, which itself stands `depth` pipelines deep.
///
/// # Errors
/// Whatever a step's transform refuses, with the step in the path; too many steps; pipelines too deep.
pub(crate) fn build(payload: &Value, depth: usize) -> Result<Arc<dyn Transform>, PayloadError> {
    let refuse = |path: &str, message: String| Err(payload::error("pipeline", path, message));
    let Payload { steps } = payload::parse("pipeline", payload)?;
    if depth >= DEPTH_MAX {
        return refuse(".", format!("pipelines may stand in each other {DEPTH_MAX} deep"));
    }
    if steps.len() > STEPS_MAX {
        return refuse("steps", format!("has {} entries, more than {STEPS_MAX}", steps.len()));
    }
    let mut built = Vec::new();
    for (i, step) in steps.into_iter().enumerate() {
        if !registry::builtin_names().contains(&step.name.as_str()) {
            let known = registry::builtin_names().iter().copied();
            let message = payload::unknown("transform", &step.name, known);
            return refuse(&format!("steps[{i}].name"), message);
        }
        let transform = registry::build_at(&step.name, &step.payload, depth + 1).map_err(|e| {
            let prefix = format!("steps[{i}].payload");
            let path = if e.path == "." { prefix } else { format!("{prefix}.{}", e.path) };
            PayloadError { transform: "pipeline".into(), path, message: e.message }
        })?;
        built.push(NamedStep { name: step.name, transform });
    }
    Ok(Arc::new(Pipeline { steps: built.into() }))
}

#[derive(Debug)]
struct Pipeline {
    steps: Arc<[NamedStep]>,
}

#[derive(Debug)]
struct NamedStep {
    name: String,
    transform: Arc<dyn Transform>,
}

impl Transform for Pipeline {
    fn resources(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.steps.iter().flat_map(|s| s.transform.resources()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn is_identity(&self) -> bool {
        self.steps.iter().all(|s| s.transform.is_identity())
    }

    fn varies_by_caller(&self) -> bool {
        self.steps.iter().any(|s| s.transform.varies_by_caller())
    }

    fn is_light(&self) -> bool {
        self.steps.iter().all(|s| s.transform.is_light())
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        if self.is_identity() {
            return Ok(Box::new(crate::stage::Passthrough::default()));
        }
        let steps = Arc::clone(&self.steps);
        let mut stage = PipelineStage { steps, context: context.clone(), running: Vec::new(), finished: 0 };
        // The first step needs no other's head, so that what it refuses is refused before anything is read.
        stage.start_next()?;
        Ok(Box::new(stage))
    }
}

struct PipelineStage {
    steps: Arc<[NamedStep]>,
    context: Context,
    /// The steps that were started: one starts when the head of the one before it is final.
    running: Vec<Running>,
    /// Steps that have put out everything.
    finished: usize,
}

struct Running {
    stage: Box<dyn Stage>,
    /// Output that waits for the next step.
    waiting: Vec<u8>,
}

impl PipelineStage {
    fn last(&self) -> usize {
        self.steps.len().saturating_sub(1)
    }

    /// Starts the next step, which sees the object as the running ones have made it.
    fn start_next(&mut self) -> Result<(), TransformError> {
        let i = self.running.len();
        let Some(step) = self.steps.get(i) else { return Ok(()) };
        let mut context = self.context.clone();
        let head = self.head();
        if let Some(content_type) = head.content_type {
            context.input.content_type = Some(content_type);
        }
        if let Some(content_encoding) = head.content_encoding {
            context.input.content_encoding = content_encoding;
        }
        if self.steps.iter().take(i).any(|s| !s.transform.is_identity()) {
            context.input.size = None;
        }
        let stage = step.transform.start(&context).map_err(|e| self.named(i, e))?;
        self.running.push(Running { stage, waiting: Vec::new() });
        Ok(())
    }

    /// The error of step `i`, with the step in its message where it has one.
    fn named(&self, i: usize, e: TransformError) -> TransformError {
        let name = self.steps.get(i).map_or("", |s| s.name.as_str());
        match e {
            TransformError::BadInput(text) => {
                TransformError::BadInput(format!("step {} ({name}): {text}", i + 1))
            }
            other => other,
        }
    }

    /// Gives `input` to step `i`, whose output waits for the next step or, from the last one, is `output`.
    fn step(&mut self, i: usize, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let is_last = i == self.last();
        let Some(running) = self.running.get_mut(i) else {
            return Err(TransformError::Internal("a step was not started".into()));
        };
        let target = if is_last { output } else { &mut running.waiting };
        running.stage.write(input, target).map_err(|e| self.named(i, e))
    }

    /// Passes on what waits after step `i`; false when `output` is full first.
    fn pass_on(&mut self, i: usize, output: &mut Vec<u8>) -> Result<bool, TransformError> {
        if i >= self.last() {
            return Ok(output.len() < HIGH_WATER);
        }
        loop {
            // What the next step has put out goes first, so that nothing piles up.
            if self.running.len() > i + 1 && !self.pass_on(i + 1, output)? {
                return Ok(false);
            }
            let Some(waiting) = self.running.get_mut(i).map(|r| std::mem::take(&mut r.waiting)) else {
                return Ok(true);
            };
            if waiting.is_empty() {
                return Ok(true);
            }
            if self.running.len() == i + 1 {
                self.start_next()?;
            }
            let taken = self.step(i + 1, &waiting, output)?;
            if let Some(running) = self.running.get_mut(i) {
                running.waiting = waiting;
                running.waiting.drain(..taken);
            }
        }
    }
}

impl Stage for PipelineStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let mut taken = 0;
        while self.pass_on(0, output)? {
            let rest = input.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            taken += self.step(0, rest, output)?;
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        loop {
            if !self.pass_on(0, output)? {
                return Ok(Progress::More);
            }
            let i = self.finished;
            if i > self.last() {
                return Ok(Progress::Done);
            }
            if self.running.len() == i {
                self.start_next()?;
            }
            let is_last = i == self.last();
            let Some(running) = self.running.get_mut(i) else {
                return Err(TransformError::Internal("a step was not started".into()));
            };
            let target = if is_last { &mut *output } else { &mut running.waiting };
            if running.stage.finish(target).map_err(|e| self.named(i, e))? == Progress::Done {
                self.finished += 1;
            }
        }
    }

    fn head(&self) -> Head {
        let mut folded = Head::default();
        for running in &self.running {
            let head = running.stage.head();
            folded.content_type = head.content_type.or(folded.content_type);
            folded.content_encoding = head.content_encoding.or(folded.content_encoding);
            for name in head.vary {
                if !folded.vary.contains(&name) {
                    folded.vary.push(name);
                }
            }
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::{assert_split_free, run_pieces, run_split};
    use crate::{Input, build, run};

    fn context(key: &str) -> Context {
        let input = Input { key: key.into(), size: Some(5), ..Input::default() };
        Context { input, ..Context::default() }
    }

    fn pipeline(steps: &Value) -> Arc<dyn Transform> {
        build("pipeline", &json!({"steps": steps})).unwrap()
    }

    const CSV: &str = "id,email,country\n1,ann@example.com,DE\n2,bob@example.org,FR\n";

    #[test]
    fn each_step_sees_what_the_one_before_made() {
        // `filter` knows JSON lines only by the Content-Type that `convert` set; `redact` refuses what is compressed.
        let t = pipeline(&json!([
            {"name": "compress"},
            {"name": "decompress"},
            {"name": "convert", "payload": {"to": "jsonl"}},
            {"name": "filter", "payload": {"where": [{"column": "country", "eq": "DE"}]}},
            {"name": "augment", "payload": {"add": {"type": {"object": "content_type"}, "size": {"object": "size"}}}},
            {"name": "redact", "payload": {"mode": "replace"}},
        ]));
        let (head, out) = run(&*t, &context("people.csv"), CSV.as_bytes()).unwrap();
        assert_eq!(head.content_type.as_deref(), Some("application/x-ndjson"));
        assert_eq!(head.content_encoding, Some(None));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"id\":\"1\",\"email\":\"[EMAIL]\",\"country\":\"DE\",\"type\":\"application/x-ndjson\",\"size\":null}\n"
        );
        assert_split_free(&*t, &context("people.csv"), CSV.as_bytes());
    }

    #[test]
    fn heads_are_folded() {
        let mut accepts = context("a.csv");
        accepts.accept_encoding = Some("gzip".into());
        let t = pipeline(&json!([
            {"name": "convert", "payload": {"to": "jsonl"}},
            {"name": "compress", "payload": {"algorithm": "auto"}},
        ]));
        assert!(t.varies_by_caller());
        let (head, _) = run(&*t, &accepts, CSV.as_bytes()).unwrap();
        assert_eq!(head.content_type.as_deref(), Some("application/x-ndjson"));
        assert_eq!(head.content_encoding, Some(Some("gzip".into())));
        assert_eq!(head.vary, ["Accept-Encoding"]);
        // The same for an object without a byte.
        let (head, _) = run(&*t, &accepts, b"").unwrap();
        assert_eq!(head.content_encoding, Some(Some("gzip".into())));
    }

    #[test]
    fn identity_resources_and_variation_are_those_of_the_steps() {
        assert!(pipeline(&json!([])).is_identity());
        assert!(
            pipeline(&json!([{"name": "identity"}, {"name": "pipeline", "payload": {"steps": []}}]))
                .is_identity()
        );
        let lookup = json!({"add": {"x": {"lookup": {"key": "k.csv", "on": "a", "take": "b"}}}});
        let t = pipeline(
            &json!([{"name": "augment", "payload": lookup}, {"name": "augment", "payload": lookup}]),
        );
        assert_eq!(t.resources(), ["k.csv"]);
        assert!(!t.is_identity() && !t.varies_by_caller());
    }

    #[test]
    fn errors_name_the_step() {
        let e = |payload: Value| build("pipeline", &payload).unwrap_err();
        assert_eq!(e(json!({"steps": [{"name": "identity"}, {"name": "redat"}]})).path, "steps[1].name");
        assert_eq!(
            e(json!({"steps": [{"name": "redact", "payload": {"mod": 1}}]})).path,
            "steps[0].payload.mod"
        );
        assert_eq!(e(json!({"steps": [{"name": "redact", "payload": 5}]})).path, "steps[0].payload");
        assert_eq!(e(json!({"steps": [{"nam": "redact"}]})).path, "steps[0].nam");
        assert_eq!(e(json!({"steps": vec![json!({"name": "identity"}); 17]})).path, "steps");
        let nest = |inner: Value| json!({"steps": [{"name": "pipeline", "payload": inner}]});
        assert!(build("pipeline", &nest(nest(json!({"steps": []})))).is_ok());
        let deep = e(nest(nest(nest(json!({"steps": []})))));
        assert_eq!(deep.path, "steps[0].payload.steps[0].payload.steps[0].payload");
        let t = pipeline(&json!([{"name": "identity"}, {"name": "decompress"}]));
        let answer = run(&*t, &context("a.csv"), b"plain text");
        assert!(matches!(answer, Err(TransformError::BadInput(m)) if m.starts_with("step 2 (decompress): ")));
    }

    #[test]
    fn a_bomb_between_steps_is_capped_and_nothing_piles_up() {
        let zeros = vec![0; 48 << 20];
        let compress = build("compress", &json!({"algorithm": "gzip"})).unwrap();
        let (_, bomb) = run(&*compress, &Context::default(), &zeros).unwrap();
        let t = pipeline(&json!([{"name": "decompress"}, {"name": "redact"}, {"name": "compress"}]));
        let answer = run(&*t, &Context::default(), &bomb);
        assert!(matches!(answer, Err(TransformError::Limit { limit: 200, .. })));
        // With the ratio allowed, one write puts out no more than the mark and a step's overshoot.
        let mut context = Context::default();
        context.limits.ratio = u64::MAX;
        let t = pipeline(&json!([{"name": "decompress"}, {"name": "identity"}]));
        let mut stage = t.start(&context).unwrap();
        let mut output = Vec::new();
        assert!(stage.write(&bomb, &mut output).unwrap() < bomb.len());
        assert!(output.len() < 2 * HIGH_WATER, "{}", output.len());
        assert!(run(&*t, &context, &bomb).unwrap().1 == zeros);
    }

    proptest! {
        #[test]
        fn bytes_cut_anywhere_come_through(
            data in prop::collection::vec(any::<u8>(), 0..3000),
            cut in any::<prop::sample::Index>(),
        ) {
            let t = pipeline(&json!([
                {"name": "compress", "payload": {"algorithm": "zstd"}},
                {"name": "compress", "payload": {"algorithm": "gzip", "force": true}},
                {"name": "pipeline", "payload": {"steps": [{"name": "decompress"}]}},
            ]));
            let at = cut.index(data.len() + 1);
            prop_assert_eq!(run_split(&*t, &Context::default(), &data, at).unwrap().1, data.clone());
            prop_assert_eq!(run_pieces(&*t, &Context::default(), data.chunks(7)).unwrap().1, data);
        }
    }
}
