//! Functions as processes: unmodified AWS Lambda packages, which speak the Lambda Runtime API.
//!
//! - [`languages`]: the interpreters of this machine.
//! - `environment`: the variables that a process is given.
//! - `child`: the process itself; `output`: what it writes.
//! - `api`: the Runtime API, which is the server's side of it. Beside it stand our own clients for Python and Node.js,
//!   `bootstrap.py` and `bootstrap.mjs`; packages for `provided.al2023` bring theirs.
//!
//! Only here and in `sandbox` does the function platform touch the file system and other processes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use crate::catalog::lambda::Code;

use super::code::CodeStore;
use super::invocation::{FunctionError, Invocation, Output};
use super::package;
use super::runtime::{Log, Runtime, Spec, StartError, Worker};
use super::temporary::{Issued, TemporaryKeys};

mod api;
mod child;
mod environment;
pub mod install;
pub mod languages;
mod output;

use api::{RuntimeApi, Stage};
use child::{Child, Scratch};
pub use environment::RESERVED;
use languages::{Interpreter, Language};

/// Time for a function's own start, beside the time of one invocation (Lambda developer guide, "Init phase").
const INIT: Duration = Duration::from_secs(10);

/// How processes run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where packages are unpacked and workers have their directories; emptied at start.
    pub directory: PathBuf,
    /// Where what AWS's images bring is installed.
    pub runtimes: PathBuf,
    /// Whether only the very version of an interpreter will do.
    pub strict: bool,
    /// Whether processes run with less than full isolation.
    pub allow_weak: bool,
    /// Where functions reach this server: `http://127.0.0.1:PORT`.
    pub gateway: String,
}

/// Runs functions as processes.
#[derive(Debug)]
pub struct ProcessRuntime {
    options: Options,
    code: CodeStore,
    keys: Arc<TemporaryKeys>,
    interpreters: OnceCell<BTreeMap<Language, Vec<Interpreter>>>,
    unpacked: Mutex<HashMap<String, Arc<OnceCell<PathBuf>>>>,
    ready: OnceCell<()>,
}

fn internal(error: impl std::fmt::Display) -> StartError {
    StartError::Internal(error.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(work).await.map_err(internal)?
}

impl ProcessRuntime {
    /// Over packages and keys.
    #[must_use]
    pub fn new(options: Options, code: CodeStore, keys: Arc<TemporaryKeys>) -> Self {
        Self {
            options,
            code,
            keys,
            interpreters: OnceCell::new(),
            unpacked: Mutex::default(),
            ready: OnceCell::new(),
        }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.options.directory.join(name)
    }

    /// Empties the directory of an earlier start and writes our runtime clients.
    async fn prepare(&self) -> Result<(), StartError> {
        let prepare = || async {
            let root = self.options.directory.clone();
            blocking(move || {
                match fs::remove_dir_all(&root) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(internal(error)),
                    Ok(()) | Err(_) => {}
                }
                for name in ["packages", "runtime", "workers"] {
                    make(&root.join(name)).map_err(internal)?;
                }
                let runtime = root.join("runtime");
                fs::write(runtime.join("bootstrap.py"), include_str!("bootstrap.py")).map_err(internal)?;
                fs::write(runtime.join("bootstrap.mjs"), include_str!("bootstrap.mjs")).map_err(internal)?;
                fs::write(runtime.join("aws-config"), environment::AWS_CONFIG).map_err(internal)
            })
            .await
        };
        self.ready.get_or_try_init(prepare).await.copied()
    }

    /// The unpacked package, unpacked once however many workers want it.
    async fn package(&self, code: &Code) -> Result<PathBuf, StartError> {
        let cell = {
            let mut all = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(code.sha256.clone()).or_default())
        };
        let unpack = || async {
            let zip = self.code.get(code).await.map_err(|error| {
                internal(format!("the package {}: {}", code.sha256, error.internal.unwrap_or_default()))
            })?;
            let target = self.directory("packages").join(&code.sha256);
            blocking(move || {
                make(&target).map_err(internal)?;
                package::unpack(&zip, &target).map_err(internal)?;
                Ok(target)
            })
            .await
        };
        cell.get_or_try_init(unpack).await.cloned()
    }

    async fn interpreter(&self, spec: &Spec, language: Language) -> Result<Interpreter, StartError> {
        let discover = || async {
            let path = std::env::var("PATH").unwrap_or_default();
            tokio::task::spawn_blocking(move || languages::discover(&path)).await.map_err(internal)
        };
        let all = self.interpreters.get_or_try_init(discover).await?;
        let runtime = &spec.version.settings.runtime;
        let wanted = languages::parse(runtime).map(|found| found.1).unwrap_or_default();
        let (name, kind) = match language {
            Language::Node => ("Node.js", "nodejs"),
            Language::Python | Language::Provided => ("Python", "python"),
        };
        let found = all.get(&language).and_then(|all| languages::choose(all, wanted)).ok_or_else(|| {
            StartError::Unavailable(format!("{runtime} needs {name}, and no {name} is in this server's PATH"))
        })?;
        if found.version == wanted {
            return Ok(found.clone());
        }
        let (major, minor) = found.version;
        if self.options.strict {
            return Err(StartError::Unavailable(format!(
                "{runtime} is not installed here; the nearest is {kind}{major}.{minor}, which strict_runtimes rules out"
            )));
        }
        tracing::warn!(function = %spec.name, %runtime, used = %format!("{kind}{major}.{minor}"),
            "the runtime is not installed here; the nearest one is used");
        Ok(found.clone())
    }

    /// What AWS's image brings, where it is installed.
    fn packages(&self, language: Language, version: languages::Version) -> Option<PathBuf> {
        let name = match language {
            Language::Python => format!("python{}.{}", version.0, version.1),
            Language::Node => "nodejs".to_owned(),
            Language::Provided => return None,
        };
        let path = self.options.runtimes.join(name);
        let path = path.is_dir().then_some(path)?;
        std::path::absolute(path).ok()
    }
}

fn make(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn takes(&self, runtime: &str) -> bool {
        languages::parse(runtime).is_some()
    }

    async fn start(&self, spec: &Arc<Spec>) -> Result<Arc<dyn Worker>, StartError> {
        if !self.options.allow_weak {
            return Err(StartError::Unavailable(
                "this server cannot isolate functions that run as processes: start it with --allow-weak-isolation to \
                 run those that you trust"
                    .to_owned(),
            ));
        }
        self.prepare().await?;
        let settings = &spec.version.settings;
        let (language, _) = languages::parse(&settings.runtime)
            .ok_or_else(|| StartError::Unavailable(format!("{} is not known", settings.runtime)))?;
        let task = self.package(&spec.version.code).await?;
        let runtime = self.directory("runtime");
        let (mut command, packages) = match language {
            Language::Provided => {
                let bootstrap = task.join("bootstrap");
                if !bootstrap.is_file() {
                    let why = format!("Error: Couldn't find valid bootstrap(s): [{}]", bootstrap.display());
                    return Err(StartError::Init(FunctionError::found("Runtime.InvalidEntrypoint", &why)));
                }
                (Command::new(bootstrap), None)
            }
            Language::Python | Language::Node => {
                let found = self.interpreter(spec, language).await?;
                let mut command = Command::new(&found.program);
                if language == Language::Python {
                    command.arg("-S").arg(runtime.join("bootstrap.py"));
                } else {
                    // Memory that V8 may take, as AWS's own image has it.
                    command.arg(format!("--max-old-space-size={}", settings.memory_mb.max(128) * 9 / 10));
                    command.arg(runtime.join("bootstrap.mjs"));
                }
                (command, self.packages(language, found.version))
            }
        };
        if language == Language::Provided {
            command.arg(&settings.handler);
        }
        let id = super::invocation::uuid().map_err(internal)?;
        let scratch = Scratch(self.directory("workers").join(&id));
        let temporary = scratch.0.join("tmp");
        make(&temporary).map_err(internal)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(internal)?;
        let address = listener.local_addr().map_err(internal)?.to_string();
        let key = self
            .keys
            .for_function(&spec.account_id, &settings.role, &spec.name)
            .map_err(|error| internal(error.internal.unwrap_or_default()))?;
        let places = environment::Places {
            task: &task,
            runtime: &runtime,
            temporary: &temporary,
            config: &runtime.join("aws-config"),
            packages: packages.as_deref(),
        };
        let stream = format!("[{}]{}", spec.version.version, id.replace('-', ""));
        let variables = environment::variables(
            spec,
            &places,
            (&key.id, &key.record),
            &self.options.gateway,
            &address,
            &stream,
        );
        let api = RuntimeApi::new();
        let serving = tokio::spawn(accept(listener, Arc::clone(&api))).abort_handle();
        let child = Child::spawn(command, &variables, &task, &id);
        let worker =
            ProcessWorker { child: child.map_err(internal)?, api, serving, _key: key, _scratch: scratch };
        worker.ready(INIT + spec.timeout()).await?;
        Ok(Arc::new(worker))
    }
}

/// Connections of one function's process; it needs one.
const MAX_CONNECTIONS: usize = 16;

async fn accept(listener: TcpListener, api: Arc<RuntimeApi>) {
    let places = Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    let mut serving = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let api = Arc::clone(&api);
        serving.spawn(async move {
            api.serve(stream).await;
            drop(place);
        });
        while serving.try_join_next().is_some() {}
    }
}

/// One process.
#[derive(Debug)]
struct ProcessWorker {
    child: Child,
    api: Arc<RuntimeApi>,
    serving: AbortHandle,
    _key: Issued,
    _scratch: Scratch,
}

impl ProcessWorker {
    /// Waits until the function is past its init.
    async fn ready(&self, limit: Duration) -> Result<(), StartError> {
        let mut stage = self.api.stage();
        let reached = stage.wait_for(|stage| *stage != Stage::Starting);
        let reached = tokio::select! {
            biased;
            reached = reached => reached.map_err(internal)?.clone(),
            status = self.child.exited() => {
                let error = FunctionError::found("Runtime.ExitError", &child::describe(status));
                return Err(StartError::Init(self.explained(error)));
            }
            () = tokio::time::sleep(limit) => {
                let why = format!("Init timed out after {:.2} seconds", limit.as_secs_f64());
                return Err(StartError::Init(FunctionError::found("Sandbox.Timedout", &why)));
            }
        };
        match reached {
            Stage::InitFailed(error) => Err(StartError::Init(error)),
            Stage::Starting | Stage::Waiting | Stage::Running => Ok(()),
        }
    }

    /// What a process wrote before it ended at once says more than its exit code, to the log.
    fn explained(&self, error: FunctionError) -> FunctionError {
        let log = self.child.output.take();
        tracing::warn!(output = %String::from_utf8_lossy(&log.text), "a function's process ended before it was ready");
        error
    }
}

#[async_trait]
impl Worker for ProcessWorker {
    async fn invoke(&self, invocation: &Invocation) -> Result<Output, FunctionError> {
        let answer = self.api.offer(invocation.clone());
        self.child.thaw();
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or_else(|_| {
                Err(FunctionError::found("Runtime.Unknown", "The runtime's answer was lost"))
            }),
            status = self.child.exited() => {
                let why = format!("RequestId: {} Error: {}", invocation.request_id, child::describe(status));
                Err(FunctionError::found("Runtime.ExitError", &why))
            }
        }
    }

    async fn settle(&self) -> bool {
        let mut stage = self.api.stage();
        let ready = tokio::select! {
            biased;
            waits = stage.wait_for(|stage| *stage == Stage::Waiting) => waits.is_ok(),
            _ = self.child.exited() => false,
        };
        if ready {
            self.child.freeze();
        }
        ready
    }

    fn kill(&self) {
        self.child.kill();
    }

    fn take_log(&self) -> Log {
        self.child.output.take()
    }
}

impl Drop for ProcessWorker {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
