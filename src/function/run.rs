//! One run of a transform over one object. Stages do no I/O; here their steps go to the blocking pool, one chunk at
//! a time, so that a slow client holds no thread. What is brief for certain is done where it is asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use refract_transforms::stage::HIGH_WATER;
use refract_transforms::{Context, Head, Progress, Stage, Transform, TransformError};
use tokio::sync::Semaphore;

use crate::function::builtin::{Prepared, Work};
use crate::function::metering::{Cpu, Measure};
use crate::function::wasm::Components;
use crate::store::{BodyError, ByteStream, Payload};

/// Time without progress after which a run is given up (a built-in has no limit on the whole).
pub const STALL: Duration = Duration::from_secs(60);

/// Bytes that a light transform takes on the thread of the request: a tenth of a millisecond's work, half a one at worst,
/// and going to another thread has to wait for its turn wherever there is other work.
const FEW: usize = 8 << 10;

/// Why a run failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The transform said so.
    #[error("{0}")]
    Transform(#[from] TransformError),
    /// The object could not be read.
    #[error("{0}")]
    Input(BodyError),
    /// No progress for [`STALL`].
    #[error("no progress for {} seconds", STALL.as_secs())]
    Stalled,
    /// The transform panicked.
    #[error("the transform panicked")]
    Panicked,
    /// The function refused, with an answer of its own.
    #[error("{code}: {message}")]
    Refused {
        /// HTTP status, 400 to 599.
        status: u16,
        /// Error code.
        code: String,
        /// What the client reads.
        message: String,
    },
    /// The function failed: what the client reads, and what the log says.
    #[error("{message}: {internal}")]
    Failed {
        /// For the client.
        message: String,
        /// For the log.
        internal: String,
    },
    /// The function used up its time.
    #[error("it took more than {} seconds", .0.as_secs_f64())]
    Timeout(Duration),
    /// There is no room for another run.
    #[error("{0}")]
    Busy(String),
    /// Nobody reads the answer any more.
    #[error("the client left")]
    Abandoned,
}

/// What came of a run: the new head, and the body as far as it is known.
#[derive(Debug)]
pub struct Output {
    /// What becomes of the object's head.
    pub head: Head,
    /// All of the output where it is small, else a stream that goes on with the run.
    pub body: Payload,
}

/// Runs transforms, a few at a time.
#[derive(Debug, Clone)]
pub struct Runner {
    permits: Arc<Semaphore>,
    components: Option<Components>,
}

impl Runner {
    /// At most `parallel` steps at once: they are CPU-bound, and each may hold a decoded picture.
    #[must_use]
    pub fn new(parallel: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(parallel.max(1))), components: None }
    }

    /// With what runs Wasm components.
    #[must_use]
    pub fn with_components(self, components: Components) -> Self {
        Self { components: Some(components), ..self }
    }

    /// Runs a function, and answers when its head is final. What it uses is counted.
    ///
    /// # Errors
    /// What fails before the first output; a later failure ends the stream.
    pub async fn run(
        &self,
        prepared: &Prepared,
        context: Context,
        input: Payload,
        measure: Measure,
    ) -> Result<Output, RunError> {
        let input = measure.input(input);
        match self.work(prepared, context, input, measure.cpu()).await {
            Ok(Output { head, body }) => Ok(Output { head, body: measure.output(body) }),
            Err(why) => {
                measure.end(why.outcome());
                Err(why)
            }
        }
    }

    async fn work(
        &self,
        prepared: &Prepared,
        context: Context,
        input: Payload,
        cpu: &Cpu,
    ) -> Result<Output, RunError> {
        match (&prepared.work, &self.components) {
            (Work::Builtin(transform), _) => self.run_builtin(transform, context, input, cpu).await,
            (Work::Wasm(task), Some(components)) => components.run_counted(task, &context, input, cpu).await,
            (Work::Wasm(_), None) => Err(RunError::Failed {
                message: "The function cannot run here".to_owned(),
                internal: "this server runs no Wasm components".to_owned(),
            }),
        }
    }

    /// Starts a run of a transform, and answers when its head is final: after the first output, or at its end. An output that ends
    /// within [`HIGH_WATER`] bytes is answered whole.
    ///
    /// # Errors
    /// What fails before the first output; a later failure ends the stream.
    pub async fn run_builtin(
        &self,
        transform: &Arc<dyn Transform>,
        context: Context,
        input: Payload,
        cpu: &Cpu,
    ) -> Result<Output, RunError> {
        let transform = Arc::clone(transform);
        // An object that is there whole goes through the first step with the start: going to another thread takes
        // longer than a small one.
        let (whole, input) = match input {
            Payload::Bytes(bytes) => (Some(bytes), Input { rest: Bytes::new(), stream: None }),
            Payload::Stream(stream, _) => (None, Input { rest: Bytes::new(), stream: Some(stream) }),
        };
        let is_brief = transform.is_light() && whole.as_ref().is_some_and(|bytes| bytes.len() <= FEW);
        let first = move || {
            let stage = transform.start(&context)?;
            match whole {
                Some(bytes) => advance(stage, bytes, true),
                None => Ok((stage, Bytes::new(), false, Vec::new())),
            }
        };
        let (stage, rest, ended, output) =
            if is_brief { here(cpu, first)?? } else { self.step(cpu, first).await?? };
        let mut run = Run {
            runner: self.clone(),
            stage: Some(stage),
            input: Input { rest, ..input },
            ended,
            cpu: cpu.clone(),
        };
        let (mut first, mut size): (Vec<Bytes>, usize) = (Vec::new(), output.len());
        if size > 0 {
            first.push(output.into());
        }
        while size < HIGH_WATER {
            match run.next().await? {
                Some(chunk) => {
                    size += chunk.len();
                    first.push(chunk);
                }
                None => {
                    return Ok(Output { head: run.head(), body: Payload::Bytes(concat(first)) });
                }
            }
        }
        let head = run.head();
        let rest = futures_util::stream::unfold(Some(run), |run| async move {
            let mut run = run?;
            match run.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(run))),
                Ok(None) => None,
                Err(error) => Some((Err(BodyError::Read(error.to_string())), None)),
            }
        });
        let stream: ByteStream = Box::pin(futures_util::stream::iter(first.into_iter().map(Ok)).chain(rest));
        Ok(Output { head, body: Payload::Stream(stream, None) })
    }

    /// One step on the blocking pool.
    async fn step<T: Send + 'static>(
        &self,
        cpu: &Cpu,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| RunError::Panicked)?;
        let cpu = cpu.clone();
        // The step has it, not who waits: a client that leaves does not end what is running.
        let task = tokio::task::spawn_blocking(move || {
            let done = timed(&cpu, work);
            drop(permit);
            done
        });
        match tokio::time::timeout(STALL, task).await {
            Err(_) => Err(RunError::Stalled),
            Ok(Err(_)) => Err(RunError::Panicked),
            Ok(Ok(done)) => Ok(done),
        }
    }
}

/// A step computes and does nothing else, so that its time is the processor's.
fn timed<T>(cpu: &Cpu, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    cpu.add(began.elapsed());
    done
}

/// One step on this thread.
fn here<T>(cpu: &Cpu, work: impl FnOnce() -> T) -> Result<T, RunError> {
    // As on the blocking pool, a panic is the run's and nobody else's.
    catch_unwind(AssertUnwindSafe(|| timed(cpu, work))).map_err(|_| RunError::Panicked)
}

fn concat(chunks: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(chunks) {
        Ok([one]) => one,
        Err(chunks) => chunks.concat().into(),
    }
}

/// The object's bytes as they are taken.
struct Input {
    rest: Bytes,
    stream: Option<ByteStream>,
}

impl Input {
    /// Makes sure that there are bytes, or that there will be none.
    async fn fill(&mut self) -> Result<(), RunError> {
        while self.rest.is_empty() {
            let Some(stream) = &mut self.stream else { return Ok(()) };
            let next = tokio::time::timeout(STALL, stream.next()).await.map_err(|_| RunError::Stalled)?;
            match next {
                Some(chunk) => self.rest = chunk.map_err(RunError::Input)?,
                None => self.stream = None,
            }
        }
        Ok(())
    }
}

/// A stage, the input that it has not taken, whether it is done, and its output.
type Advanced = (Box<dyn Stage>, Bytes, bool, Vec<u8>);

/// Has a stage take input until it has or its output is full. `ends` says that there is no more input.
fn advance(mut stage: Box<dyn Stage>, mut rest: Bytes, ends: bool) -> Result<Advanced, TransformError> {
    let mut output = Vec::new();
    while !rest.is_empty() && output.len() < HIGH_WATER {
        let taken = stage.write(&rest, &mut output)?;
        rest.advance(taken);
    }
    let mut done = false;
    if ends && rest.is_empty() && output.len() < HIGH_WATER {
        done = stage.finish(&mut output)? == Progress::Done;
    }
    Ok((stage, rest, done, output))
}

struct Run {
    runner: Runner,
    stage: Option<Box<dyn Stage>>,
    input: Input,
    ended: bool,
    cpu: Cpu,
}

impl Run {
    fn head(&self) -> Head {
        self.stage.as_ref().map(|stage| stage.head()).unwrap_or_default()
    }

    /// The next output; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, RunError> {
        while !self.ended {
            self.input.fill().await?;
            let Some(stage) = self.stage.take() else { return Ok(None) };
            let rest = std::mem::take(&mut self.input.rest);
            let ends = rest.is_empty();
            let (stage, rest, done, output) =
                self.runner.step(&self.cpu, move || advance(stage, rest, ends)).await??;
            (self.stage, self.input.rest, self.ended) = (Some(stage), rest, done);
            if !output.is_empty() {
                return Ok(Some(output.into()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use refract_transforms::build;
    use serde_json::json;

    use super::*;

    async fn gather(payload: Payload) -> Result<Vec<u8>, BodyError> {
        match payload {
            Payload::Bytes(bytes) => Ok(bytes.to_vec()),
            Payload::Stream(mut stream, _) => {
                let mut all = Vec::new();
                while let Some(chunk) = stream.next().await {
                    all.extend_from_slice(&chunk?);
                }
                Ok(all)
            }
        }
    }

    fn chunks(chunks: Vec<Result<Bytes, BodyError>>) -> Payload {
        Payload::Stream(Box::pin(futures_util::stream::iter(chunks)), None)
    }

    #[tokio::test]
    async fn a_small_output_is_whole_and_a_large_one_streams() {
        let runner = Runner::new(2);
        let redact = build("redact", &json!({})).unwrap();
        let text = Bytes::from_static(b"write to ada@example.org now");
        let parts = chunks(vec![Ok(text.slice(..12)), Ok(text.slice(12..))]);
        let output = runner.run_builtin(&redact, Context::default(), parts, &Cpu::default()).await.unwrap();
        let Payload::Bytes(bytes) = output.body else { panic!("small") };
        assert_eq!(bytes, "write to *************** now");

        let large = Bytes::from(vec![b'x'; 3 << 20]);
        let stream = chunks(vec![Ok(large.clone()), Ok(large.clone())]);
        let decompress = build("decompress", &json!({})).unwrap();
        let compress = build("compress", &json!({"algorithm": "gzip"})).unwrap();
        let packed =
            runner.run_builtin(&compress, Context::default(), stream, &Cpu::default()).await.unwrap();
        assert_eq!(packed.head.content_encoding, Some(Some("gzip".into())));
        let packed = gather(packed.body).await.unwrap();
        assert!(packed.len() < 100_000);
        let context = Context {
            input: refract_transforms::Input { content_encoding: Some("gzip".into()), ..Default::default() },
            ..Default::default()
        };
        let output = runner
            .run_builtin(&decompress, context, Payload::Bytes(packed.into()), &Cpu::default())
            .await
            .unwrap();
        assert!(matches!(output.body, Payload::Stream(..)));
        assert_eq!(gather(output.body).await.unwrap().len(), 6 << 20);
    }

    /// Says on which thread it runs, or panics.
    #[derive(Debug)]
    struct Where {
        light: bool,
        panics: bool,
    }

    impl Transform for Where {
        fn is_light(&self) -> bool {
            self.light
        }

        fn start(&self, _: &Context) -> Result<Box<dyn Stage>, TransformError> {
            assert!(!self.panics, "on purpose");
            let content_type = Some(format!("{:?}", std::thread::current().id()));
            Ok(Box::new(Named(Head { content_type, ..Head::default() })))
        }
    }

    struct Named(Head);

    impl Stage for Named {
        fn write(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<usize, TransformError> {
            Ok(input.len())
        }

        fn finish(&mut self, _: &mut Vec<u8>) -> Result<Progress, TransformError> {
            Ok(Progress::Done)
        }

        fn head(&self) -> Head {
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn what_is_brief_runs_here_and_the_rest_elsewhere() {
        let runner = Runner::new(1);
        let run = async |light, panics, bytes: usize| {
            let transform: Arc<dyn Transform> = Arc::new(Where { light, panics });
            let input = Payload::Bytes(vec![0; bytes].into());
            runner.run_builtin(&transform, Context::default(), input, &Cpu::default()).await
        };
        let thread = format!("{:?}", std::thread::current().id());
        for (light, bytes, here) in [(true, FEW, true), (true, FEW + 1, false), (false, 1, false)] {
            let output = run(light, false, bytes).await.unwrap();
            assert_eq!(output.head.content_type.unwrap() == thread, here, "{light} {bytes}");
        }
        for light in [true, false] {
            assert!(matches!(run(light, true, 1).await, Err(RunError::Panicked)));
        }
    }

    #[tokio::test]
    async fn an_input_that_fails_fails_the_run() {
        let runner = Runner::new(1);
        let redact = build("redact", &json!({})).unwrap();
        let broken = || Err(BodyError::Read("bad segment".into()));
        let failed =
            runner.run_builtin(&redact, Context::default(), chunks(vec![broken()]), &Cpu::default()).await;
        assert!(matches!(failed, Err(RunError::Input(_))));
        let filler = Ok(Bytes::from(vec![b'x'; 1 << 20]));
        let late = runner
            .run_builtin(&redact, Context::default(), chunks(vec![filler, broken()]), &Cpu::default())
            .await
            .unwrap();
        assert!(gather(late.body).await.is_err());
    }
}
