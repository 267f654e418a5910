//! [`App`], built once, and [`RequestContext`], one for each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use data_encoding::HEXUPPER;

use crate::access_log;
use crate::access_point::{PointArn, PointKind, alias};
use crate::access_point::{Registrar, Target, target};
use crate::auth::{AuthMethod, AuthOptions, Principal, SigV2};
use crate::bodies::Bodies;
use crate::catalog::{AccessPoint, Accounts, Catalog, Directory, Keys};
use crate::clock::Clock;
use crate::control::ControlPlane;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::function::Platform;
use crate::function::aws::Remote;
use crate::function::events::Events;
use crate::function::metering::Traffic;
use crate::function::polling::Polling;
use crate::function::wasm::Components;
use crate::function::webhook::Webhooks;
use crate::iam::IamPlane;
use crate::lambda_api::LambdaPlane;
use crate::notification::Notifier;
use crate::object_lambda::{self, ObjectLambdaPlane};
use crate::policy::{Network, Trail, Via};
use crate::s3::{Api, Names, Place, S3Plane, SourceName};
use crate::secret::Secret;
use crate::store::Store;
use crate::sts::StsPlane;
use crate::sts::oidc::Oidc;
use crate::telemetry::{Audit, Metrics};

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppOptions {
    /// Objects and buckets.
    pub store: Arc<dyn Store>,
    /// Points, functions, keys.
    pub catalog: Arc<dyn Catalog>,
    /// Who may sign.
    pub keys: Arc<Keys>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The account that owns everything, 12 digits.
    pub account_id: String,
    /// All accounts.
    pub accounts: Accounts,
    /// Keys of encrypted objects.
    pub keyring: Arc<Keyring>,
    /// The region of ARNs and of buckets that name none.
    pub region: String,
    /// Whether a signature may name no other region.
    pub region_strict: bool,
    /// Whether SigV2 is taken.
    pub sigv2: bool,
    /// Names of this server, for virtual-host style.
    pub domains: Vec<String>,
    /// Names under which buckets show their websites.
    pub website_domains: Vec<String>,
    /// Hosts whose identity providers may be without TLS.
    pub oidc_http_hosts: Vec<String>,
    /// Whether identity providers may have private addresses.
    pub oidc_private: bool,
    /// What is held of request bodies.
    pub bodies: Bodies,
    /// The token of the admin API, where one is set.
    pub admin_token: Option<Secret>,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// Tells of what happens in buckets.
    pub notifier: Notifier,
    /// How OLAPs run.
    pub object_lambda: object_lambda::Options,
    /// What functions that run code run on.
    pub platform: Platform,
    /// Delivers events to functions.
    pub events: Events,
    /// Serves event source mappings.
    pub polling: Polling,
    /// Changes and denials.
    pub audit: Audit,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
}

/// The server without its listener: every plane, and what they stand on.
#[derive(Debug)]
pub struct App {
    /// Objects and buckets.
    pub store: Arc<dyn Store>,
    /// Points, functions, keys.
    pub catalog: Arc<dyn Catalog>,
    /// Who may sign.
    pub keys: Arc<Keys>,
    /// All accounts.
    pub accounts: Accounts,
    /// Keys of encrypted objects.
    pub keyring: Arc<Keyring>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Names of this server.
    pub domains: Vec<String>,
    /// Names under which buckets show their websites.
    pub website_domains: Vec<String>,
    /// The token of the admin API, where one is set.
    pub admin_token: Option<Secret>,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// What is held of request bodies.
    pub bodies: Bodies,
    /// What the verifier allows.
    pub auth: AuthOptions,
    /// Creates and deletes points.
    pub registrar: Registrar,
    /// The plain S3 plane.
    pub s3: S3Plane,
    /// The S3 Control plane.
    pub control: ControlPlane,
    /// Identities.
    pub directory: Directory,
    /// The IAM plane.
    pub iam: IamPlane,
    /// The STS plane.
    pub sts: StsPlane,
    /// GET, HEAD and LIST through functions.
    pub object_lambda: ObjectLambdaPlane,
    /// Changes and denials.
    pub audit: Audit,
    /// Functions that are Wasm components.
    pub components: Components,
    /// Functions that are webhooks.
    pub webhooks: Webhooks,
    /// Functions that AWS Lambda runs.
    pub remote: Remote,
    /// Lines of access logs on their way.
    pub access_log: Arc<access_log::Inbox>,
    /// The Lambda plane.
    pub lambda: LambdaPlane,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    draining: AtomicBool,
    request_ids: RequestIds,
}

impl App {
    /// Builds the planes.
    ///
    /// # Errors
    /// No random bytes.
    pub fn new(options: AppOptions) -> Result<Self, ApiError> {
        let AppOptions { store, catalog, keys, clock, accounts, keyring, account_id, region, .. } = options;
        let registrar = Registrar {
            catalog: Arc::clone(&catalog),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            account_id: account_id.clone(),
            functions: account_id.clone(),
            region: region.clone(),
        };
        let names = PointNames { catalog: Arc::clone(&catalog), region: region.clone() };
        let api = Api {
            store: Arc::clone(&store),
            accounts: accounts.clone(),
            clock: Arc::clone(&clock),
            keyring: Arc::clone(&keyring),
            region: region.clone(),
            names: Arc::new(names),
            notifier: options.notifier,
            bodies: options.bodies.clone(),
        };
        let directory = Directory::new(Arc::clone(&catalog), Arc::clone(&clock));
        let http_hosts: Arc<[String]> = options.oidc_http_hosts.into();
        let iam = IamPlane {
            directory: directory.clone(),
            keys: Arc::clone(&keys),
            accounts: accounts.clone(),
            http_hosts: Arc::clone(&http_hosts),
        };
        let sts = StsPlane {
            directory: directory.clone(),
            keys: Arc::clone(&keys),
            accounts: accounts.clone(),
            oidc: Oidc::new(http_hosts, options.oidc_private),
        };
        Ok(Self {
            directory,
            iam,
            sts,
            s3: S3Plane::new(api),
            control: ControlPlane::new(registrar.clone()),
            components: options.object_lambda.components.clone(),
            webhooks: options.object_lambda.webhooks.clone(),
            remote: options.object_lambda.remote.clone(),
            object_lambda: ObjectLambdaPlane::new(
                Arc::clone(&store),
                Arc::clone(&catalog),
                accounts.clone(),
                Arc::clone(&keyring),
                options.platform.clone(),
                Arc::clone(&clock),
                &options.object_lambda,
            ),
            lambda: LambdaPlane {
                events: options.events,
                polling: options.polling,
                platform: options.platform,
                catalog: Arc::clone(&catalog),
                store: Arc::clone(&store),
                accounts: accounts.clone(),
                keyring: Arc::clone(&keyring),
                clock: Arc::clone(&clock),
                account_id,
                bodies: options.bodies.clone(),
            },
            bodies: options.bodies,
            auth: AuthOptions {
                region_strict: options.region_strict.then_some(region),
                sigv2: if options.sigv2 { SigV2::default() } else { SigV2::OFF },
            },
            domains: options.domains,
            website_domains: options.website_domains,
            admin_token: options.admin_token,
            trusted_proxies: options.trusted_proxies,
            request_ids: RequestIds::new()?,
            audit: options.audit,
            metrics: options.metrics,
            access_log: Arc::default(),
            draining: AtomicBool::new(false),
            accounts,
            keyring,
            registrar,
            store,
            catalog,
            keys,
            clock,
        })
    }

    /// Says that the server takes no new connections, so that health checks turn away.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is on its way out.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The context of a new request.
    #[must_use]
    pub fn request(&self) -> RequestContext {
        RequestContext {
            id: self.request_ids.next(),
            principal: None,
            auth: None,
            plane: "",
            operation: "",
            trail: Trail::default(),
            client: None,
            cors: None,
            logged: None,
            traffic: None,
        }
    }
}

/// What is known of one request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Request id: 16 hexadecimal digits.
    pub id: String,
    /// Who asks, once verified; `None` for an anonymous caller.
    pub principal: Option<Arc<Principal>>,
    /// How the request was signed, once verified.
    pub auth: Option<AuthMethod>,
    /// Name of the plane it went to, for logs and metrics.
    pub plane: &'static str,
    /// Name of the operation, where the door knows it.
    pub operation: &'static str,
    /// What was decided about it.
    pub trail: Trail,
    /// Where it came from.
    pub client: Option<std::net::IpAddr>,
    /// Headers that tell a browser what another origin may see of the answer.
    pub cors: Option<Box<http::HeaderMap>>,
    /// What the access log will say, where something may be logged.
    pub logged: Option<Arc<access_log::Begun>>,
    /// Counts the bytes of the answer, where they are a function's input.
    pub traffic: Option<Arc<Traffic>>,
}

/// Request ids: a random start and a mixed counter, so that they do not repeat and tell nothing.
#[derive(Debug)]
struct RequestIds(AtomicU64);

impl RequestIds {
    fn new() -> Result<Self, ApiError> {
        let seed =
            getrandom::u64().map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
        Ok(Self(AtomicU64::new(seed)))
    }

    fn next(&self) -> String {
        // SplitMix64 (Steele, Lea, Flood 2014): a bijection, so no two of 2^64 are equal.
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        HEXUPPER.encode(&(z ^ (z >> 31)).to_be_bytes())
    }
}

/// What access points have to say about the names of buckets.
#[derive(Debug)]
struct PointNames {
    catalog: Arc<dyn Catalog>,
    region: String,
}

impl Names for PointNames {
    fn source(&self, source: &SourceName<'_>) -> Result<Place, ApiError> {
        let view = self.catalog.snapshot();
        let found = match source {
            SourceName::Bucket(name) => match target::alias(name, &view) {
                None => return Ok(Place { bucket: (*name).to_owned(), via: None }),
                Some(found) => found?,
            },
            SourceName::AccessPoint { region, account_id, name } => {
                let arn = PointArn {
                    kind: PointKind::AccessPoint,
                    region: (*region).to_owned(),
                    account_id: (*account_id).to_owned(),
                    name: (*name).to_owned(),
                };
                target::by_arn(&arn, &view)?
            }
        };
        match found {
            Target::AccessPoint(point) => {
                let via = Some(Via::access_point(Arc::clone(&point), &self.region));
                Ok(Place { bucket: point.bucket.clone(), via })
            }
            Target::ObjectLambda(..) | Target::Bucket(_) | Target::Service => Err(ApiError::invalid_request(
                "An Object Lambda access point cannot be the source of a copy: read the object through it and put \
                 the result",
            )),
        }
    }

    fn may_create_bucket(&self, name: &str) -> Result<(), ApiError> {
        let refused = |why: String| {
            Err(ApiError::new(http::StatusCode::BAD_REQUEST, "InvalidBucketName", why)
                .with_detail("BucketName", name))
        };
        if alias::is_alias(name) {
            return refused(
                "The specified bucket is not valid: its end marks an access point's alias".into(),
            );
        }
        if let Some((point, account)) = name.rsplit_once('-')
            && self.catalog.snapshot().access_point(account, point).is_some()
        {
            return refused(format!("The bucket name is that of the host of access point {point}"));
        }
        Ok(())
    }

    fn may_delete_bucket(&self, name: &str) -> Result<(), ApiError> {
        let view = self.catalog.snapshot();
        // Points of other accounts do not hold it up: they open nothing of a bucket that somebody else makes anew.
        let own = |point: &&Arc<AccessPoint>| {
            let of = point.bucket_account_id.as_ref();
            point.bucket == name && of.is_none_or(|of| *of == point.account_id)
        };
        match view.access_points.values().find(own) {
            None => Ok(()),
            Some(point) => Err(ApiError::new(
                http::StatusCode::CONFLICT,
                "BucketHasAccessPointsAttached",
                format!("The bucket has access points attached; delete access point {} first", point.name),
            )
            .with_detail("BucketName", name)),
        }
    }
}
