//! An instance: the data directory opened and the planes built from a [`Config`]; then served, until told to stop.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::access_log;
use crate::bodies::Bodies;
use crate::catalog::seal::{MasterKey, SealError};
use crate::catalog::{Accounts, Catalog, KeyPair, Keys, RecordsCatalog};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::context::{App, AppOptions};
use crate::door::Door;
use crate::encryption::command::CommandError;
use crate::encryption::{self, DataKey, Keyring};
use crate::error::ApiError;
use crate::function::aws::Remote;
use crate::function::code::CodeStore;
use crate::function::events::destination::Destinations;
use crate::function::events::queue::EventQueue;
use crate::function::events::{self, Events};
use crate::function::metering::Meter;
use crate::function::network::Network;
use crate::function::polling::places::Places;
use crate::function::polling::{self, Polling};
use crate::function::process::{self, ProcessRuntime};
use crate::function::temporary::TemporaryKeys;
use crate::function::wasm::{self, Components};
use crate::function::webhook::{Exchanges, Webhooks};
use crate::function::{Platform, manager, platform};
use crate::lifecycle;
use crate::notification::{self, Consumers, Notifier, Outbox};
use crate::object_lambda;
use crate::server::{Gateway, Limits, Server};
use crate::store::Store;
use crate::store::fs::{FsOptions, FsStore, OpenError};
use crate::telemetry::{Audit, Metrics};

/// How long a request waits for a function that has as many runs as it may.
const FUNCTION_QUEUE: Duration = Duration::from_secs(1);
/// Time that the access logs of the last requests have.
const LAST_LOGS: Duration = Duration::from_secs(10);

/// Why an instance cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data directory.
    #[error(
        "the data directory {dir} is in use by process {pid}: stop that, or choose another directory with --data-dir",
        dir = dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Who has it.
        pid: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(OpenError),
    /// A key file cannot be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The command of the encryption key gave none.
    #[error(transparent)]
    KeyCommand(#[from] CommandError),
    /// The encryption key is not that of the data directory.
    #[error(transparent)]
    KeyCheck(#[from] encryption::check::CheckError),
    /// The catalog cannot be read.
    #[error("the catalog cannot be read: {}", .0.internal.as_deref().unwrap_or(&.0.message))]
    Catalog(ApiError),
    /// The audit log cannot be written.
    #[error("the audit log cannot be written: {0}")]
    Audit(std::io::Error),
    /// Functions cannot be given a way to the server.
    #[error("functions cannot be given a way to the server: {0}")]
    Gateway(std::io::Error),
    /// TLS cannot be set up.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] crate::server::tls::TlsError),
    /// TLS is configured and was left out of the build.
    #[cfg(not(feature = "tls"))]
    #[error("tls_cert is set, and this binary was built without the feature `tls`")]
    NoTls,
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Locked { dir, pid } => Self::InUse { dir, pid },
            other => Self::Store(other),
        }
    }
}

/// A server that is open and does not listen yet.
#[derive(Debug)]
pub struct Instance {
    /// The planes.
    pub app: Arc<App>,
    /// The root pair.
    pub root: KeyPair,
    /// Whether this start made the root pair.
    pub root_is_new: bool,
    store: FsStore,
    lifecycle: lifecycle::Worker,
    access_log: access_log::Worker,
    notifications: notification::Worker,
    limits: Limits,
    gateway: std::net::TcpListener,
    streams: mpsc::Receiver<TcpStream>,
    #[cfg(feature = "tls")]
    tls: Option<crate::server::tls::Tls>,
}

/// The file of the root pair that a first start made.
#[must_use]
pub fn root_credentials_file(data_dir: &Path) -> PathBuf {
    data_dir.join("root-credentials.toml")
}

impl Instance {
    /// Opens the data directory and builds the planes. Blocks.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(config: &Config) -> Result<Self, StartError> {
        #[cfg(feature = "tls")]
        let tls = config
            .tls
            .as_ref()
            .map(|(certificate, key)| crate::server::tls::Tls::load(certificate, key))
            .transpose()?;
        #[cfg(not(feature = "tls"))]
        if config.tls.is_some() {
            return Err(StartError::NoTls);
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let options = FsOptions {
            durability: config.durability,
            cache_bytes: config.store_cache,
            reserve_bytes: config.disk_reserve,
            ..FsOptions::new(&config.data_dir)
        };
        let store = FsStore::open(options, Arc::clone(&clock))?;
        let (root, root_is_new) = match &config.root {
            Some((id, secret)) => (KeyPair { access_key_id: id.clone(), secret: secret.clone() }, false),
            None => KeyPair::load_or_create(&root_credentials_file(&config.data_dir))?,
        };
        let master_key = config.master_key_file.clone().unwrap_or_else(|| config.data_dir.join("master.key"));
        let master = MasterKey::load_or_create(&master_key)?;
        let catalog = RecordsCatalog::open(Arc::new(store.clone())).map_err(StartError::Catalog)?;
        let catalog: Arc<dyn Catalog> = Arc::new(catalog);
        let master = Arc::new(master);
        let metrics = Arc::new(Metrics::default());
        let network = Network::new(Arc::clone(&catalog), Arc::clone(&metrics));
        let components = Components::new(wasm::Options {
            network: network.clone(),
            data_dir: config.data_dir.clone(),
            key: master.derive("refract wasm artifacts"),
            instances: config.wasm_instances,
            threads: config.wasm_threads,
            long_threads: config.wasm_long_threads,
            compile_timeout: config.wasm_compile,
            queue: FUNCTION_QUEUE,
        });
        let exchanges = Exchanges::new(config.functions.webhook_concurrency);
        let private = config.functions.webhook_private;
        let webhooks = Webhooks::new(Arc::clone(&master), private, exchanges.clone());
        let remote = Remote::new(Arc::clone(&master), private, exchanges);
        let root_key = match (&config.encryption_key, &config.encryption_key_command) {
            (Some(key), _) => key.clone(),
            (None, Some((command, limit))) => encryption::command::root_key(command, *limit)?,
            (None, None) => DataKey::from_bytes(master.derive("refract sse-s3")),
        };
        encryption::check::check(&config.data_dir, &root_key)?;
        let keyring = Keyring::new(root_key, Arc::clone(&master), Arc::clone(&catalog), Arc::clone(&clock));
        let keys = Keys::new(
            root.clone(),
            config.account_id.clone(),
            Arc::clone(&catalog),
            master,
            Arc::clone(&clock),
        );
        let accounts = Accounts::new(
            config.account_id.clone(),
            config.root_account_name.clone(),
            config.root_account_email.clone(),
            Arc::clone(&catalog),
            Arc::clone(&clock),
        );
        let outbox = Outbox::open(Arc::new(store.clone()), clock.now());
        let outbox = Arc::new(outbox.map_err(|error| StartError::Catalog(error.into()))?);
        let queues = config.data_dir.join("queues");
        let mut consumers = Consumers::new(&config.notification, &queues, &config.region, &config.account_id);
        let called = Arc::new(notification::function::Functions::new(
            Arc::clone(&catalog),
            config.account_id.clone(),
            Arc::clone(&metrics),
        ));
        consumers.add_functions(Arc::clone(&called));
        let consumers = Arc::new(consumers);
        let notifier = Notifier::new(
            Arc::clone(&outbox),
            Arc::clone(&consumers),
            Arc::clone(&clock),
            Arc::clone(&metrics),
        );
        let functions = &config.functions;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(StartError::Gateway)?;
        listener.set_nonblocking(true).map_err(StartError::Gateway)?;
        let address = listener.local_addr().map_err(StartError::Gateway)?;
        let gateway = format!("http://{address}");
        let code = CodeStore::new(Arc::new(store.clone()));
        let temporary = TemporaryKeys::new(Arc::clone(&catalog), Arc::clone(&clock));
        let absolute = |path: &Path| std::path::absolute(path).map_err(StartError::Gateway);
        // A few wait while the server takes them.
        let (connections, streams) = mpsc::channel(64);
        let processes = ProcessRuntime::new(
            process::Options {
                directory: absolute(&config.data_dir.join("functions"))?,
                runtimes: absolute(&functions.runtime_dir)?,
                strict: functions.strict_runtimes,
                allow_weak: functions.allow_weak_isolation,
                gateway: gateway.clone(),
                connections,
                network,
            },
            code.clone(),
            Arc::clone(&temporary),
        );
        let meter = Meter::open(Arc::new(store.clone()), Arc::clone(&clock), Arc::clone(&metrics));
        let meter = Arc::new(meter.map_err(|error| StartError::Catalog(error.into()))?);
        let platform = Platform::new(platform::Parts {
            meter,
            catalog: Arc::clone(&catalog),
            clock: Arc::clone(&clock),
            code,
            keys: temporary,
            runtimes: vec![Arc::new(processes)],
            workers: manager::Options {
                memory_mb: functions.memory_mb,
                queue: functions.queue,
                wait: functions.wait,
                keep_alive: functions.keep_alive,
                max_uses: functions.max_uses,
            },
            concurrency: functions.concurrency,
            account_id: config.account_id.clone(),
            region: config.region.clone(),
            gateway,
        });
        let queue = EventQueue::open(Arc::new(store.clone()));
        let queue = Arc::new(queue.map_err(|error| StartError::Catalog(error.into()))?);
        let events = Events::new(events::Parts {
            platform: platform.clone(),
            catalog: Arc::clone(&catalog),
            clock: Arc::clone(&clock),
            queue,
            destinations: Destinations {
                store: Arc::new(store.clone()) as Arc<dyn Store>,
                notifier: notifier.clone(),
                clock: Arc::clone(&clock),
                account_id: config.account_id.clone(),
            },
            metrics: Arc::clone(&metrics),
            retry_after: functions.retry,
        });
        called.open(events.clone());
        let places = Places::open(Arc::new(store.clone()));
        let polling = Polling::new(polling::Parts {
            platform: platform.clone(),
            catalog: Arc::clone(&catalog),
            events: events.clone(),
            notifier: notifier.clone(),
            places: places.map_err(|error| StartError::Catalog(error.into()))?,
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            retry_after: functions.retry,
        });
        let app = App::new(AppOptions {
            store: Arc::new(store.clone()) as Arc<dyn Store>,
            catalog,
            keys: Arc::new(keys),
            clock,
            accounts,
            keyring: Arc::new(keyring),
            account_id: config.account_id.clone(),
            region: config.region.clone(),
            region_strict: config.region_strict,
            trusted_proxies: config.trusted_proxies.clone(),
            audit: Audit::open(&config.audit, &config.data_dir).map_err(StartError::Audit)?,
            sigv2: config.sigv2,
            domains: config.domains.clone(),
            website_domains: config.website_domains.clone(),
            oidc_http_hosts: config.oidc_http_hosts.clone(),
            oidc_private: config.oidc_private,
            bodies: Bodies::new(config.body_memory),
            admin_token: config.admin_token.clone(),
            object_lambda: object_lambda::Options {
                result_cache: config.result_cache,
                parallel: config.transform_parallel,
                limits: config.transform,
                limit: functions.object_lambda,
                components,
                webhooks,
                remote,
            },
            platform,
            events,
            polling,
            notifier: notifier.clone(),
            metrics,
        })
        .map_err(StartError::Catalog)?;
        let lifecycle = lifecycle::Worker::new(
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            Arc::clone(&app.clock),
            Arc::clone(&app.metrics),
            config.lifecycle,
        )
        .map_err(|error| StartError::Catalog(error.into()))?
        .telling(notifier)
        .logging(Arc::clone(&app.access_log));
        let notifications =
            notification::Worker::new(outbox, consumers, Arc::clone(&app.clock), Arc::clone(&app.metrics));
        let access_log = access_log::Worker::new(
            Arc::clone(&app.access_log),
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            Arc::clone(&app.keyring),
            Arc::clone(&app.clock),
            Arc::clone(&app.metrics),
            config.access_log,
        )
        .map_err(|error| StartError::Catalog(error.into()))?;
        Ok(Self {
            lifecycle,
            access_log,
            notifications,
            app: Arc::new(app),
            root,
            root_is_new,
            store,
            limits: config.limits.clone(),
            gateway: listener,
            streams,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    /// Serves until `shutdown` is ready, drains, and closes the store.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let Self { app, store, limits, lifecycle, access_log, notifications, gateway, streams, .. } = self;
        let meter = Arc::clone(app.lambda.platform.meter());
        let background = [
            tokio::spawn(lifecycle.run()),
            tokio::spawn(notifications.run()),
            tokio::spawn(Arc::clone(&meter).run()),
            tokio::spawn(app.lambda.events.clone().run()),
            tokio::spawn(app.lambda.polling.clone().run()),
        ];
        let (stop_logs, logs_stopped) = tokio::sync::oneshot::channel();
        let logs = tokio::spawn(access_log.run(logs_stopped));
        app.components.prepare(wasm::digests(&app.catalog.snapshot()));
        let (stop_functions, functions_stopped) = watch::channel(false);
        let functions = tokio::spawn(app.lambda.platform.clone().run(functions_stopped));
        let gateway = match TcpListener::from_std(gateway) {
            Ok(listener) => Some(Gateway { listener, streams }),
            Err(error) => {
                tracing::error!(%error, "functions cannot reach the server");
                None
            }
        };
        #[cfg(feature = "tls")]
        let watching = self.tls.clone().map(|tls| tokio::spawn(tls.watch()));
        let server = Server {
            metrics: Arc::clone(&app.metrics),
            door: Door::new(app),
            limits,
            gateway,
            #[cfg(feature = "tls")]
            tls: self.tls,
        };
        server.run(listener, shutdown).await;
        #[cfg(feature = "tls")]
        if let Some(watching) = watching {
            watching.abort();
        }
        stop_functions.send_replace(true);
        drop(functions.await);
        // The logs of the last requests go out with them; what does not is kept for the next start.
        stop_logs.send(()).unwrap_or_default();
        drop(tokio::time::timeout(LAST_LOGS, logs).await);
        // What it was doing is done whole or not at all, and the next start goes on.
        for task in background {
            task.abort();
            drop(task.await);
        }
        if let Err(error) = meter.flush().await {
            tracing::error!(%error, "the last usage of functions could not be written");
        }
        store.close().await;
    }
}
