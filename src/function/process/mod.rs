//! Functions as processes: unmodified AWS Lambda packages, which speak the Lambda Runtime API.
//!
//! - [`languages`]: the interpreters of this machine.
//! - `environment`: the variables that a process is given.
//! - `starter`: the thread that starts them.
//! - `child`: the process itself; `output`: what it writes; `share`: how it comes by a processor; `worker`: all of it as
//!   the manager sees it.
//! - `sockets`: those that a sandbox gave.
//! - `api`: the Runtime API, which is the server's side of it. Beside it stand our own clients for Python and Node.js,
//!   `bootstrap.py` and `bootstrap.mjs`; packages for `provided.al2023` bring theirs.
//!
//! Only here and in `sandbox` does the function platform touch the file system and other processes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, mpsc};
use tokio::task::AbortHandle;

use crate::catalog::lambda::Code;
use crate::priority::behind;

use super::code::CodeStore;
use super::invocation::FunctionError;
use super::network::{Network, proxy};
use super::package;
use super::runtime::{Runtime, Spec, StartError, Worker};
use super::sandbox::cgroup::Hierarchy;
use super::sandbox::launch::{self, Launch};
use super::sandbox::{Isolation, Plan};
use super::temporary::{Issued, TemporaryKeys};

mod api;
mod child;
mod environment;
pub mod install;
pub mod languages;
mod output;
mod share;
mod sockets;
mod starter;
mod worker;

use api::RuntimeApi;
use child::{Child, Scratch};
pub use environment::RESERVED;
use languages::{Interpreter, Language};
use share::Share;
use starter::Starter;
use worker::{ProcessWorker, accept};

/// Time for a function's own start, beside the time of one invocation (Lambda developer guide, "Init phase").
const INIT: Duration = Duration::from_secs(10);
/// Where the Runtime API listens in a function's own network, as on AWS.
const RUNTIME_API_PORT: u16 = 9001;

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
    /// Takes connections from functions' own networks to this server.
    pub connections: mpsc::Sender<TcpStream>,
    /// Takes those to what functions were granted.
    pub network: Network,
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
    isolation: OnceCell<Isolation>,
    starter: OnceCell<Starter>,
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
            isolation: OnceCell::new(),
            starter: OnceCell::new(),
        }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.options.directory.join(name)
    }

    /// Empties the directory of an earlier start and writes our runtime clients.
    async fn prepare_files(&self) -> Result<(), StartError> {
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
            let unpacked = behind(move || {
                make(&target).map_err(internal)?;
                package::unpack(&zip, &target).map_err(internal)?;
                Ok(target)
            });
            unpacked.await.map_err(|error| internal(error.internal.unwrap_or_default()))?
        };
        cell.get_or_try_init(unpack).await.cloned()
    }

    async fn interpreters(&self) -> Result<&BTreeMap<Language, Vec<Interpreter>>, StartError> {
        let discover = || async {
            let path = std::env::var("PATH").unwrap_or_default();
            tokio::task::spawn_blocking(move || languages::discover(&path)).await.map_err(internal)
        };
        self.interpreters.get_or_try_init(discover).await
    }

    /// What this host can enforce, found out once.
    async fn isolation(&self) -> Result<&Isolation, StartError> {
        self.prepare_files().await?;
        let scratch = self.directory("workers");
        let probe = || async { blocking(move || Ok(launch::probe(&scratch))).await };
        self.isolation.get_or_try_init(probe).await
    }

    async fn interpreter(&self, spec: &Spec, language: Language) -> Result<Interpreter, StartError> {
        let all = self.interpreters().await?;
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

    async fn prepare(&self) {
        let isolation = match self.isolation().await {
            Ok(isolation) => isolation,
            Err(error) => return tracing::error!(%error, "functions cannot be prepared"),
        };
        match &isolation.cgroups {
            Ok(groups) if isolation.is_full() => {
                let landlock = isolation.landlock;
                tracing::info!(
                    cgroups = groups.name(),
                    landlock,
                    "functions that run as processes are isolated fully"
                );
            }
            _ => {
                let (missing, allowed) = (isolation.missing(), self.options.allow_weak);
                tracing::warn!(
                    missing,
                    allowed,
                    "this host cannot isolate functions that run as processes fully"
                );
            }
        }
        if let Err(error) = self.interpreters().await {
            tracing::error!(%error, "the interpreters of this machine cannot be found");
        }
    }

    fn isolation_now(&self) -> Option<Isolation> {
        self.isolation.get().cloned()
    }

    async fn start(&self, spec: &Arc<Spec>) -> Result<Arc<dyn Worker>, StartError> {
        let isolation = self.isolation().await?;
        if !isolation.is_full() && !self.options.allow_weak {
            return Err(StartError::Unavailable(format!(
                "this host cannot isolate functions that run as processes fully; it lacks {}. Start the server with \
                 --allow-weak-isolation to run those that you trust",
                isolation.missing()
            )));
        }
        self.prepare_files().await?;
        let task = self.package(&spec.version.code).await?;
        let what = self.what(spec, &task).await?;
        let id = super::invocation::uuid().map_err(internal)?;
        let scratch = Scratch(self.directory("workers").join(&id));
        let settings = &spec.version.settings;
        let groups = isolation.cgroups.as_ref().ok().cloned();
        let key = self.keys.for_function(spec)?;
        let api = RuntimeApi::new();
        let (child, listener, inner) = if isolation.namespaces.is_ok() {
            self.sandboxed(spec, &what, &task, (&id, &scratch, &key), groups).await?
        } else {
            self.plain(spec, &what, &task, (&id, &scratch, &key), groups).await?
        };
        let serving = tokio::spawn(accept(listener, Arc::clone(&api)));
        let serving = std::iter::once(serving.abort_handle()).chain(inner).collect();
        let (child, rest) = (Arc::new(child), Arc::default());
        let memory_mb = settings.memory_mb;
        let share = Share::new(&child, memory_mb, spec.doubtful);
        let worker = ProcessWorker { child, rest, api, serving, share, _key: key, _scratch: scratch };
        worker.ready(INIT + spec.timeout()).await?;
        let child = Arc::clone(&worker.child);
        tokio::task::spawn_blocking(move || child.limit_cpu(memory_mb)).await.map_err(internal)?;
        Ok(Arc::new(worker))
    }
}

/// A started process, where its Runtime API listens, and what else serves it.
type Started = (Child, TcpListener, Vec<AbortHandle>);

impl ProcessRuntime {
    /// What is run for a function.
    async fn what(&self, spec: &Spec, task: &Path) -> Result<What, StartError> {
        let settings = &spec.version.settings;
        let (language, _) = languages::parse(&settings.runtime)
            .ok_or_else(|| StartError::Unavailable(format!("{} is not known", settings.runtime)))?;
        if language == Language::Provided {
            if !task.join("bootstrap").is_file() {
                let why = "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
                return Err(StartError::Init(FunctionError::found("Runtime.InvalidEntrypoint", why)));
            }
            return Ok(What { interpreter: None, options: Vec::new(), client: None, packages: None });
        }
        let found = self.interpreter(spec, language).await?;
        let (options, client) = match language {
            // Without the packages of the host, which are not part of AWS's image.
            Language::Python | Language::Provided => ("-S".to_owned(), "bootstrap.py"),
            // Memory that V8 may take: the rest is for what is not on its heap.
            Language::Node => {
                (format!("--max-old-space-size={}", settings.memory_mb.max(128) * 9 / 10), "bootstrap.mjs")
            }
        };
        Ok(What {
            packages: self.packages(language, found.version),
            interpreter: Some(found),
            options: vec![options],
            client: Some(client),
        })
    }

    /// Starts a process, with limits where there are control groups.
    async fn spawn(
        &self,
        spec: &Spec,
        id: &str,
        command: Command,
        groups: Option<Hierarchy>,
    ) -> Result<Child, StartError> {
        let starter = self.starter.get_or_try_init(|| async { Starter::new() }).await.map_err(internal)?;
        starter.spawn(spec, id, command, groups).await.map_err(internal)
    }

    /// Starts it as a plain process of this host.
    async fn plain(
        &self,
        spec: &Spec,
        what: &What,
        task: &Path,
        (id, scratch, key): (&str, &Scratch, &Issued),
        groups: Option<Hierarchy>,
    ) -> Result<Started, StartError> {
        let temporary = scratch.0.join("tmp");
        make(&temporary).map_err(internal)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(internal)?;
        let address = listener.local_addr().map_err(internal)?.to_string();
        let runtime = self.directory("runtime");
        let places = environment::Places {
            task,
            runtime: &runtime,
            temporary: &temporary,
            config: &runtime.join("aws-config"),
            packages: what.packages.as_deref(),
        };
        let variables = self.variables(spec, &places, key, &address, id);
        let (program, arguments) = what.command(&places);
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(variables).current_dir(task).stdin(Stdio::null());
        let child = self.spawn(spec, id, command, groups).await?;
        Ok((child, listener, Vec::new()))
    }

    /// Starts it in a sandbox.
    async fn sandboxed(
        &self,
        spec: &Spec,
        what: &What,
        task: &Path,
        (id, scratch, key): (&str, &Scratch, &Issued),
        groups: Option<Hierarchy>,
    ) -> Result<Started, StartError> {
        let root = scratch.0.join("root");
        make(&root).map_err(internal)?;
        let packages = what.packages.as_ref().map(|_| Path::new("/opt/refract"));
        let places = environment::Places {
            task: Path::new("/var/task"),
            runtime: Path::new("/var/runtime"),
            temporary: Path::new("/tmp"),
            config: Path::new("/var/runtime/aws-config"),
            packages,
        };
        let mut binds = vec![
            (task.to_owned(), places.task.to_owned()),
            (self.directory("runtime"), places.runtime.to_owned()),
        ];
        if let (Some(from), Some(to)) = (&what.packages, packages) {
            binds.push((from.clone(), to.to_owned()));
        }
        if let Some(found) = &what.interpreter {
            // What is below /usr is there already; a prefix of / would show the whole host.
            let shown = if found.prefix == Path::new("/") { &found.program } else { &found.prefix };
            if !shown.starts_with("/usr") {
                binds.push((shown.clone(), shown.clone()));
            }
        }
        let port = self.options.gateway.rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| internal("the gateway has no port"))?;
        let address = format!("127.0.0.1:{RUNTIME_API_PORT}");
        let (program, arguments) = what.command(&places);
        let plan = Plan {
            root,
            binds,
            temporary_mb: spec.version.settings.ephemeral_mb,
            ports: vec![RUNTIME_API_PORT, port],
            outward: spec.network.ports().into_iter().collect(),
            program,
            arguments,
            variables: self.variables(spec, &places, key, &address, id),
            directory: places.task.to_owned(),
            counted: groups.is_some(),
        };
        let (command, launch) = Launch::new().map_err(internal)?;
        let child = self.spawn(spec, id, command, groups).await?;
        let went = blocking(move || launch.go(&plan).map_err(internal)).await;
        let opened = match went {
            Ok(opened) => opened,
            Err(error) => {
                child.kill();
                let said = child.output.take().text;
                return Err(internal(format!("{error}: {}", String::from_utf8_lossy(&said).trim())));
            }
        };
        let mut ports = sockets::listeners(opened.ports).map_err(internal)?.into_iter();
        let (Some(runtime_api), Some(gateway)) = (ports.next(), ports.next()) else {
            return Err(internal("the sandbox gave no sockets"));
        };
        let outward = sockets::listeners(opened.outward).map_err(internal)?;
        let names = opened.names.map(sockets::queries).transpose().map_err(internal)?;
        let mut serving = vec![tokio::spawn(pass(gateway, self.options.connections.clone())).abort_handle()];
        if !outward.is_empty() {
            let way_out = proxy::serve(self.options.network.clone(), spec.name.clone(), outward, names);
            serving.push(tokio::spawn(way_out).abort_handle());
        }
        Ok((child, runtime_api, serving))
    }

    fn variables(
        &self,
        spec: &Spec,
        places: &environment::Places<'_>,
        key: &Issued,
        runtime_api: &str,
        id: &str,
    ) -> environment::Variables {
        let stream = format!("[{}]{}", spec.version.version, id.replace('-', ""));
        let key = (key.id.as_str(), &key.record);
        environment::variables(spec, places, key, &self.options.gateway, runtime_api, &stream)
    }
}

/// What is run for a function.
struct What {
    /// None for a package that brings its own.
    interpreter: Option<Interpreter>,
    options: Vec<String>,
    /// Our runtime client.
    client: Option<&'static str>,
    /// What AWS's image brings, where it is installed.
    packages: Option<PathBuf>,
}

impl What {
    /// Program and arguments, where things are at these places.
    fn command(&self, places: &environment::Places<'_>) -> (PathBuf, Vec<String>) {
        let Some(interpreter) = &self.interpreter else {
            return (places.task.join("bootstrap"), Vec::new());
        };
        let client = self.client.map(|client| places.runtime.join(client).display().to_string());
        (interpreter.program.clone(), self.options.iter().cloned().chain(client).collect())
    }
}

/// Passes connections to this server from a function's own network on to it.
async fn pass(listener: TcpListener, connections: mpsc::Sender<TcpStream>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if connections.send(stream).await.is_err() {
                    return;
                }
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
