//! Every setting, in one table: its flag, its environment variable and its key in the file all come from here.

/// What may be said about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, a number, a path.
    Value,
    /// `true` or `false`; the flag alone means `true`.
    Switch,
    /// Several values: a flag that may be repeated, an array in the file, commas in the environment.
    List,
    /// A secret: never a flag, for other users of the machine see those; each has a `…_file` beside it.
    Secret,
}

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Key in the file; the flag has `-` for `_`, the variable is `REFRACT_` and capitals.
    pub key: &'static str,
    /// What may be said about its value.
    pub kind: Kind,
    /// Name of the value in the help.
    pub value: &'static str,
    /// Default, as it would be typed; empty for none.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Setting {
    /// The flag, without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("REFRACT_{}", self.key.to_uppercase())
    }
}

const fn setting(
    key: &'static str,
    kind: Kind,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, kind, value, default, help }
}

/// All settings, in the order of `docs/configuration.md`.
pub const SETTINGS: &[Setting] = &[
    setting(
        "listen",
        Kind::Value,
        "ADDRESS",
        "127.0.0.1:9000",
        "Address and port to listen on; port 0 picks a free one",
    ),
    setting("data_dir", Kind::Value, "DIR", "data/store", "Directory of everything that is kept"),
    setting("domain", Kind::List, "NAME", "", "Names of this server, for virtual-host style (bucket.NAME)"),
    setting(
        "website_domains",
        Kind::List,
        "NAME",
        "",
        "Names under which buckets show their websites (bucket.NAME), beside bucket.s3-website-REGION.…",
    ),
    setting(
        "oidc_http_hosts",
        Kind::List,
        "HOST",
        "",
        "Hosts whose OpenID Connect providers may be without TLS and at a private address, with a port or for any; * for all",
    ),
    setting(
        "oidc_private",
        Kind::Switch,
        "BOOL",
        "false",
        "Let every OpenID Connect provider have private, loopback and link-local addresses",
    ),
    setting(
        "account_id",
        Kind::Value,
        "DIGITS",
        "000000000000",
        "The account that owns everything: 12 digits",
    ),
    setting(
        "root_account_name",
        Kind::Value,
        "NAME",
        "root",
        "The root account's name: the Owner DisplayName of what it owns",
    ),
    setting(
        "root_account_email",
        Kind::Value,
        "EMAIL",
        "root@localhost",
        "The root account's e-mail, by which grants may name it",
    ),
    setting("region", Kind::Value, "REGION", "us-east-1", "The region of ARNs and of buckets that name none"),
    setting("region_strict", Kind::Switch, "BOOL", "false", "Refuse signatures that name another region"),
    setting(
        "sigv2",
        Kind::Switch,
        "BOOL",
        "true",
        "Take SigV2 signatures for plain buckets, as some clients make by default for URLs; `false` refuses them all",
    ),
    setting(
        "root_access_key_id",
        Kind::Value,
        "ID",
        "",
        "Access key id of the root account; a random pair is made at the first start where none is given",
    ),
    setting("root_secret_access_key", Kind::Secret, "SECRET", "", "Secret access key of the root account"),
    setting(
        "root_secret_access_key_file",
        Kind::Value,
        "FILE",
        "",
        "File that holds the root account's secret access key",
    ),
    setting(
        "admin_token",
        Kind::Secret,
        "TOKEN",
        "",
        "Token that the admin API takes as `Authorization: Bearer`",
    ),
    setting("admin_token_file", Kind::Value, "FILE", "", "File that holds the admin token"),
    setting(
        "encryption_key",
        Kind::Secret,
        "HEX",
        "",
        "The key of SSE-S3: 64 hexadecimal digits; derived from the master key where none is given. It must never change: a server does not start with another than its data directory was begun with",
    ),
    setting("encryption_key_file", Kind::Value, "FILE", "", "File that holds it"),
    setting(
        "encryption_key_command",
        Kind::Value,
        "COMMAND",
        "",
        "Command that prints it, such as a key service's client; run by the shell once, at start",
    ),
    setting("encryption_key_command_seconds", Kind::Value, "N", "30", "Time that the command has"),
    setting(
        "master_key_file",
        Kind::Value,
        "FILE",
        "",
        "File of the key that seals stored secrets; DATA_DIR/master.key unless given, made at the first start",
    ),
    setting(
        "tls_cert",
        Kind::Value,
        "FILE",
        "",
        "Certificate chain (PEM) for HTTPS; read again when it changes",
    ),
    setting("tls_key", Kind::Value, "FILE", "", "Private key (PEM) of the certificate"),
    setting(
        "durability",
        Kind::Value,
        "MODE",
        "sync",
        "`sync`: a write is answered once it is on stable storage; `relaxed`: before that, and a crash of the process or the machine loses up to about a second of writes",
    ),
    setting("store_cache_bytes", Kind::Value, "BYTES", "16MiB", "Memory for pages of the database"),
    setting("disk_reserve_bytes", Kind::Value, "BYTES", "64MiB", "Free space below which writes are refused"),
    setting(
        "result_cache_bytes",
        Kind::Value,
        "BYTES",
        "1GiB",
        "Disk for results of functions that HEAD and ranges are answered from",
    ),
    setting(
        "transform_parallel",
        Kind::Value,
        "N",
        "0",
        "Steps of transforms at once; 0 means one for each processor",
    ),
    setting(
        "transform_buffer_bytes",
        Kind::Value,
        "BYTES",
        "64MiB",
        "What a transform that needs the whole object may hold",
    ),
    setting(
        "transform_pixels",
        Kind::Value,
        "N",
        "100000000",
        "Pixels of a picture that is decoded, all its frames together",
    ),
    setting(
        "transform_output_bytes",
        Kind::Value,
        "BYTES",
        "64GiB",
        "What one run of a transform may put out",
    ),
    setting(
        "transform_ratio",
        Kind::Value,
        "N",
        "200",
        "Output bytes for each input byte, past the first 16 MiB of output",
    ),
    setting("transform_record_bytes", Kind::Value, "BYTES", "4MiB", "One line or record of a text format"),
    setting(
        "runtime_dir",
        Kind::Value,
        "DIR",
        "",
        "Directory of what AWS's runtime images bring to functions, which `refract function runtime install` makes; DATA_DIR/runtimes unless given",
    ),
    setting(
        "strict_runtimes",
        Kind::Switch,
        "BOOL",
        "false",
        "Refuse functions whose version of Python or Node.js is not installed, instead of using the nearest",
    ),
    setting(
        "allow_weak_isolation",
        Kind::Switch,
        "BOOL",
        "false",
        "Run functions as processes where this host cannot isolate them fully: without namespaces they may read what the server may read, and have its network",
    ),
    setting(
        "function_memory_mb",
        Kind::Value,
        "MB",
        "0",
        "Memory of all functions' workers together, by their MemorySize; 0 means half of the machine's",
    ),
    setting("function_concurrency", Kind::Value, "N", "1000", "Invocations of functions at a time"),
    setting(
        "function_queue",
        Kind::Value,
        "N",
        "100",
        "Invocations of one function that wait for a worker; further ones are throttled",
    ),
    setting("function_queue_seconds", Kind::Value, "N", "10", "How long they wait"),
    setting(
        "function_keep_alive_seconds",
        Kind::Value,
        "N",
        "300",
        "How long a worker is kept without an invocation",
    ),
    setting(
        "function_max_invocations",
        Kind::Value,
        "N",
        "10000",
        "Invocations after which a worker is replaced",
    ),
    setting(
        "function_retry_seconds",
        Kind::Value,
        "N",
        "60",
        "Time before an event whose function failed is tried again; the second time it is twice as long",
    ),
    setting(
        "object_lambda_seconds",
        Kind::Value,
        "N",
        "60",
        "Time in which a function must have answered a request through an Object Lambda access point",
    ),
    setting(
        "webhook_private",
        Kind::Switch,
        "BOOL",
        "false",
        "Let functions that are webhooks have private, loopback and link-local addresses",
    ),
    setting(
        "webhook_concurrency",
        Kind::Value,
        "N",
        "128",
        "Exchanges at a time with functions that are webhooks or that AWS Lambda runs; further ones are answered 503",
    ),
    setting(
        "wasm_instances",
        Kind::Value,
        "N",
        "1000",
        "Instances of Wasm functions at a time; each has 4 GiB of address space, and the memory that it uses",
    ),
    setting(
        "wasm_threads",
        Kind::Value,
        "N",
        "0",
        "Threads that run Wasm functions; 0 means one for each processor, and one less for those that have used a processor for a while",
    ),
    setting(
        "wasm_compile_seconds",
        Kind::Value,
        "N",
        "300",
        "Longest time that compiling a Wasm component may take, at its registration",
    ),
    setting(
        "lifecycle_day_seconds",
        Kind::Value,
        "N",
        "86400",
        "Length of a day of lifecycle rules; less is for tests",
    ),
    setting("lifecycle_rate", Kind::Value, "N", "1000", "Actions of lifecycle rules a second, at most"),
    setting(
        "log_delivery_seconds",
        Kind::Value,
        "N",
        "60",
        "How long lines of a bucket's access log are gathered before they are delivered",
    ),
    setting(
        "notify_webhook",
        Kind::List,
        "NAME=URL",
        "",
        "Notification targets that are posted to a URL: `arn:aws:sqs:REGION:ACCOUNT:NAME` and `arn:aws:sns:…`",
    ),
    setting(
        "notify_queue",
        Kind::List,
        "NAME",
        "",
        "Notification targets that are appended to DATA_DIR/queues/NAME.jsonl, under the same ARNs",
    ),
    setting(
        "notify_private",
        Kind::Switch,
        "BOOL",
        "false",
        "Let webhooks have private, loopback and link-local addresses",
    ),
    setting("max_connections", Kind::Value, "N", "4096", "Connections at a time; further ones wait"),
    setting(
        "head_seconds",
        Kind::Value,
        "N",
        "60",
        "Time for a request's head to arrive, and for a connection to be idle",
    ),
    setting("head_bytes", Kind::Value, "BYTES", "64KiB", "A request's head; more is answered 431"),
    setting(
        "body_idle_seconds",
        Kind::Value,
        "N",
        "60",
        "Time without a byte, of a request's body or of an answer that the client takes, after which it is given up",
    ),
    setting(
        "body_memory_bytes",
        Kind::Value,
        "BYTES",
        "256MiB",
        "Memory for request bodies that are held whole (documents, packages), above which requests are answered 503; half of it for callers whose signature waits for the body, a quarter for those without a key",
    ),
    setting("drain_seconds", Kind::Value, "N", "30", "Time that requests in flight have after SIGTERM"),
    setting(
        "trusted_proxies",
        Kind::List,
        "CIDR",
        "",
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or ranges",
    ),
    setting(
        "audit_log",
        Kind::Value,
        "WHERE",
        "",
        "File of the audit log, `stdout` or `off`; DATA_DIR/audit/audit.log unless given",
    ),
    setting("audit_log_bytes", Kind::Value, "BYTES", "64MiB", "Size at which the audit log is put aside"),
    setting("audit_log_files", Kind::Value, "N", "100", "Files of the audit log that were put aside to keep"),
    setting(
        "log",
        Kind::Value,
        "FILTER",
        "info",
        "What to log: `info`, or by target: `info,refract::request=debug` logs each request",
    ),
    setting("log_format", Kind::Value, "FORMAT", "text", "`text` or `json`"),
];
