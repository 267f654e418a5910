//! From a request to a run and back: who may run, on what, and the first bytes of the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use refract_transforms::Context;
use refract_transforms::stage::HIGH_WATER;
use tokio::runtime::Handle;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, mpsc};
use wasmtime::UpdateDeadline;

use super::component::{Loaded, Pre};
use super::engine::Running;
use super::host::{Host, SharedHead};
use super::lanes::Budget;
use super::outgoing::Outgoing;
use super::pace::{End, Pace};
use super::pipe::{self, Reader, Writer};
use super::stop::Stop;
use super::streams::Source;
use super::{ComponentError, Components, http, transform};
use crate::function::builtin::WasmTask;
use crate::function::metering::Cpu;
use crate::function::run::{Output, RunError, STALL};
use crate::store::{BodyError, ByteStream, Payload};

/// How long an answer that has begun waits for its end, so that a small one has a length.
const GRACE: Duration = Duration::from_millis(5);
/// Chunks of the object that are read ahead of the one that the function has.
const AHEAD: usize = 1;

impl From<ComponentError> for RunError {
    fn from(error: ComponentError) -> Self {
        match error {
            ComponentError::Compiling => Self::Busy(error.to_string()),
            ComponentError::Refused(why) | ComponentError::Internal(why) => {
                Self::Failed { message: "The function cannot be loaded".to_owned(), internal: why }
            }
        }
    }
}

/// Who has how many of the instances, and how fast it is done with them.
#[derive(Debug)]
pub(super) struct Shares {
    all: Arc<Semaphore>,
    instances: u32,
    of: Mutex<HashMap<String, Share>>,
}

/// What one function has.
#[derive(Debug, Clone)]
struct Share {
    most: u32,
    free: Arc<Semaphore>,
    pace: Arc<Pace>,
}

/// The right to one instance.
#[derive(Debug)]
struct Permit {
    /// Of the function that has it.
    pace: Arc<Pace>,
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Shares {
    pub(super) fn new(instances: u32) -> Self {
        let all = Arc::new(Semaphore::new(instances as usize));
        Self { all, instances, of: Mutex::default() }
    }

    fn of(&self, name: &str, concurrency: Option<u32>) -> Share {
        let most = concurrency.unwrap_or((self.instances / 2).max(1)).min(self.instances);
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(name) {
            Some(share) if share.most == most => share.clone(),
            known => {
                let pace = known.map(|share| Arc::clone(&share.pace)).unwrap_or_default();
                let share = Share { most, free: Arc::new(Semaphore::new(most as usize)), pace };
                all.insert(name.to_owned(), share.clone());
                share
            }
        }
    }

    async fn acquire(&self, task: &WasmTask, patience: Duration) -> Result<Permit, RunError> {
        let Share { free, pace, .. } = self.of(&task.name, task.concurrency);
        if task.concurrency == Some(0) {
            return Err(RunError::Busy("the function's concurrency is 0".into()));
        }
        let both = async {
            let own = free.acquire_owned().await?;
            let all = Arc::clone(&self.all).acquire_owned().await?;
            Ok::<_, AcquireError>(Permit { pace, _own: own, _all: all })
        };
        match tokio::time::timeout(patience, both).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(RunError::Busy("no instance became free in time".into())),
        }
    }
}

/// All that ends with a run.
struct Held {
    writer: Writer,
    _permit: Permit,
    running: Option<Running>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where the run has said how it ended, this says nothing more.
        self.writer.end(Err(RunError::Panicked));
    }
}

impl Components {
    /// Runs a function over an object, and answers when its head is final.
    ///
    /// # Errors
    /// What fails before the answer has begun; what fails later breaks the body off.
    pub async fn run(&self, task: &WasmTask, context: &Context, input: Payload) -> Result<Output, RunError> {
        self.run_counted(task, context, input, &Cpu::default()).await
    }

    /// As [`run`](Self::run), with the processor's time that it takes.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_counted(
        &self,
        task: &WasmTask,
        context: &Context,
        input: Payload,
        cpu: &Cpu,
    ) -> Result<Output, RunError> {
        let loaded = self.load(&task.digest).await?;
        let permit = self.0.shares.acquire(task, self.0.options.queue).await?;
        let machine = self.machine()?;
        let (writer, reader) = pipe::pipe(context.limits.output_bytes);
        let head = SharedHead::default();
        let budget = Budget::new(task.timeout);
        let outgoing = Outgoing::new(self.0.options.network.clone(), &task.name, Handle::current());
        let mut store = Host::new(task.memory, head.clone(), outgoing).into_store(&machine.engine);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback({
            let budget = Arc::clone(&budget);
            move |_| {
                if budget.is_over() {
                    return Err(Stop::Deadline(budget.limit()).into());
                }
                Ok(UpdateDeadline::Yield(1))
            }
        });
        let source = source(input);
        let pace = Arc::clone(&permit.pace);
        let held = Held { writer: writer.clone(), _permit: permit, running: Some(machine.ticker.running()) };
        let head_of_run = head.clone();
        let (ask, abandoned) = (ask(&loaded, context, &task.payload)?, writer.clone());
        let (spent, cpu) = (Arc::clone(&budget), cpu.clone());
        machine.lanes.spawn(&budget, pace.start(), async move {
            let mut held = held;
            let run = async {
                match (&loaded.pre, ask) {
                    (Pre::Transform(pre), Ask::Transform(context)) => {
                        transform::run(pre, store, head_of_run, &context, source, &writer).await
                    }
                    (Pre::Http(pre), Ask::Http(request)) => {
                        http::run(pre, store, head_of_run, *request, source, &writer).await
                    }
                    (Pre::Transform(_), Ask::Http(_)) | (Pre::Http(_), Ask::Transform(_)) => {
                        Err(RunError::Panicked)
                    }
                }
            };
            let outcome = tokio::select! {
                biased;
                outcome = run => outcome,
                () = abandoned.closed() => Err(RunError::Abandoned),
            };
            let spent = spent.spent();
            cpu.add(spent);
            let held_back = pace.note(spent, end(&outcome));
            if !held_back.is_zero() {
                held.running = None;
                tokio::time::sleep(held_back).await;
            }
            held.writer.end(outcome);
        });
        answer(reader, &head, task.timeout).await
    }
}

/// What the end of a run says of the next one.
fn end(outcome: &Result<(), RunError>) -> End {
    match outcome {
        Ok(()) | Err(RunError::Refused { .. }) => End::Answered,
        Err(RunError::Failed { .. }) => End::Failed,
        Err(_) => End::Other,
    }
}

/// What a run is asked, by its world.
enum Ask {
    Transform(Box<super::bindings::refract::transform::types::Context>),
    Http(Box<::http::Request<()>>),
}

fn ask(loaded: &Loaded, context: &Context, payload: &str) -> Result<Ask, RunError> {
    match loaded.pre {
        Pre::Transform(_) => Ok(Ask::Transform(Box::new(transform::context(context, payload)))),
        Pre::Http(_) => {
            http::request(context, payload).map(Box::new).map(Ask::Http).map_err(|error| RunError::Failed {
                message: "The function cannot be asked for this key".to_owned(),
                internal: error.to_string(),
            })
        }
    }
}

/// The object, read on the threads that read objects.
fn source(input: Payload) -> Source {
    let mut stream = match input {
        Payload::Bytes(bytes) => return Source::new(bytes, None),
        Payload::Stream(stream, _) => stream,
    };
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        // A chunk is read when there is room for it, so that none waits here besides.
        while let Ok(room) = sender.reserve().await {
            let next = tokio::select! {
                next = tokio::time::timeout(STALL, stream.next()) => next,
                () = sender.closed() => return,
            };
            let chunk = match next {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return,
                Err(_) => Err(BodyError::Read(RunError::Stalled.to_string())),
            };
            let last = chunk.is_err();
            room.send(chunk);
            if last {
                return;
            }
        }
    });
    Source::new(Bytes::new(), Some(receiver))
}

/// The next output, if it comes in time.
async fn next(reader: &mut Reader, timeout: Duration) -> Result<Option<Bytes>, RunError> {
    // Half as long again as the processor's time, so that a function that loops is told so.
    tokio::time::timeout(timeout.mul_f32(1.5), reader.next()).await.unwrap_or(Err(RunError::Timeout(timeout)))
}

/// Collects a small answer whole; begins a large one, or one that takes its time.
async fn answer(mut reader: Reader, head: &SharedHead, timeout: Duration) -> Result<Output, RunError> {
    let mut first: Vec<Bytes> = Vec::new();
    let mut size = 0;
    while size < HIGH_WATER {
        let chunk = if first.is_empty() {
            next(&mut reader, timeout).await?
        } else {
            match tokio::time::timeout(GRACE, reader.next()).await {
                Ok(chunk) => chunk?,
                Err(_) => break,
            }
        };
        match chunk {
            Some(chunk) => {
                size += chunk.len();
                first.push(chunk);
            }
            None => return Ok(Output { head: head.close(), body: Payload::Bytes(concat(first)) }),
        }
    }
    let rest = futures_util::stream::unfold(Some(reader), move |reader| async move {
        let mut reader = reader?;
        match next(&mut reader, timeout).await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(BodyError::Read(error.to_string())), None)),
        }
    });
    let stream: ByteStream = Box::pin(futures_util::stream::iter(first.into_iter().map(Ok)).chain(rest));
    Ok(Output { head: head.close(), body: Payload::Stream(stream, None) })
}

fn concat(chunks: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(chunks) {
        Ok([one]) => one,
        Err(chunks) => chunks.concat().into(),
    }
}
