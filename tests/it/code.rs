//! Functions that run code, in real processes: what they may connect to, and what outlasts a restart. python3 must be in
//! `PATH`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, TcpListener, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use refract::catalog::KeyPair;
use serde_json::{Value, json};

use crate::client::Person;
use crate::support::{Server, read_request, refract, run, zipped};

/// A server with functions of `code.py`.
struct Host {
    root: Person,
    server: Server,
    dir: tempfile::TempDir,
}

fn start(dir: &tempfile::TempDir) -> (Server, Person) {
    let server = Server::start(dir.path(), &["--allow-weak-isolation"]);
    let (pair, _) = KeyPair::load_or_create(&dir.path().join("root-credentials.toml")).unwrap();
    let root = Person::new(server.address, &pair.access_key_id, pair.secret.expose());
    (server, root)
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (server, root) = start(&dir);
        let host = Self { root, server, dir };
        let trust = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } } });
        host.admin(200, "PUT /accounts/root/roles/plain", &json!({ "trust": trust }));
        host
    }

    /// Ends the server as an operator does, and starts it again.
    fn restart(self) -> Self {
        let Self { mut server, dir, .. } = self;
        server.signal("TERM");
        assert!(server.child.wait().unwrap().success());
        let (server, root) = start(&dir);
        Self { root, server, dir }
    }

    fn admin(&self, status: u16, line: &str, body: &Value) -> Value {
        let (method, path) = line.split_once(' ').unwrap();
        let (line, headers) =
            (format!("{method} /_refract/v1{path}"), [("content-type", "application/json")]);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.root.send("s3", &line, &headers, body);
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn lambda(&self, status: u16, line: &str, body: &Value) -> Value {
        let answer = self.root.send("lambda", line, &[], body.to_string().into_bytes());
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn create(&self, name: &str) {
        let document = json!({ "FunctionName": name, "Role": "arn:aws:iam::000000000000:role/plain",
            "Runtime": "python3.12", "Handler": format!("app.{name}"), "Timeout": 60, "MemorySize": 256,
            "Publish": true, "Code": { "ZipFile": zipped(include_str!("code.py")) } });
        self.lambda(201, "POST /2015-03-31/functions", &document);
    }

    /// Whether functions have a network of their own here.
    fn has_namespaces(&self) -> bool {
        for _ in 0..200 {
            let shown = self.admin(200, "GET /function-platform", &Value::Null);
            if shown["isolation"] != "unknown" {
                return !shown["missing"].as_str().unwrap().contains("namespaces");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("isolation is not found out");
    }

    /// What the function `reach` says of each place.
    fn reach(&self, to: &[(&str, u16)]) -> BTreeMap<String, String> {
        let answer = self.lambda(200, "POST /2015-03-31/functions/reach/invocations", &json!({ "to": to }));
        serde_json::from_value(answer.clone()).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn allow(&self, entries: &[String]) {
        let mut arguments = vec!["function", "network", "reach", "--allow"];
        arguments.extend(entries.iter().map(String::as_str));
        let shown = run(&self.server, self.dir.path(), &arguments);
        assert_eq!(shown, json!({ "allow": entries }));
    }
}

/// Answers all requests to a port, at every address of this machine.
fn outside() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The server looks whether it is reached without a request, too.
            if std::panic::catch_unwind(|| read_request(&stream)).is_ok() {
                drop(stream.write_all(b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"));
            }
        }
    });
    port
}

/// The name of this machine and its addresses of IPv4, where it has any by that name.
fn own_name() -> Option<(String, Vec<IpAddr>)> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_ascii_lowercase();
    let found = (name.as_str(), 0).to_socket_addrs().ok()?;
    let found: Vec<IpAddr> = found.map(|address| address.ip()).filter(IpAddr::is_ipv4).collect();
    (!found.is_empty() && name != "localhost").then_some((name, found))
}

#[test]
fn a_function_connects_to_what_it_was_granted_and_to_nothing_else() {
    let host = Host::new();
    host.create("reach");
    if !host.has_namespaces() {
        eprintln!("skipped: functions have the host's network here");
        return;
    }
    let (port, other) = (outside(), outside());
    let own = own_name();
    let name = own.as_ref().map_or("name.example", |own| own.0.as_str());
    let server = host.server.address.port();
    let here = format!("127.0.0.1:{port}");
    let places = [
        ("127.0.0.1", port),
        ("127.0.0.1", other),
        ("127.0.0.2", port),
        ("169.254.169.254", port),
        ("10.0.0.1", port),
        ("127.0.0.1", server),
        (name, port),
        ("other.example", port),
    ];

    // Without a grant there is nothing out there.
    let tried = host.reach(&places);
    assert_eq!(tried.len(), places.len());
    assert!(tried.values().all(|came| !came.starts_with("said")), "{tried:#?}");
    assert_eq!(tried[&format!("{name}:{port}")], "gaierror", "{tried:#?}");

    // What is granted by its address.
    host.allow(&[format!("127.0.0.1/32:{port}")]);
    let tried = host.reach(&places);
    assert_eq!(tried[&here], "said hello");
    for (place, came) in [
        (format!("127.0.0.1:{other}"), "ConnectionRefusedError"),
        (format!("127.0.0.2:{port}"), "ConnectionResetError"),
        (format!("169.254.169.254:{port}"), "ConnectionResetError"),
        (format!("10.0.0.1:{port}"), "ConnectionResetError"),
        (format!("127.0.0.1:{server}"), "ConnectionRefusedError"),
        (format!("{name}:{port}"), "gaierror"),
        (format!("other.example:{port}"), "gaierror"),
    ] {
        assert_eq!(tried[&place], came, "{place}: {tried:#?}");
    }
    let url = format!("http://127.0.0.1:{port}/");
    let answer =
        host.lambda(200, "POST /2015-03-31/functions/reach/invocations", &json!({ "to": [], "url": url }));
    assert_eq!(answer, json!({ "url": "hello" }));

    // A name is granted, and leads to a private address: that takes an entry of its own.
    host.allow(&[format!("{name}:{port}")]);
    let tried = host.reach(&places);
    assert_eq!(tried[&format!("{name}:{port}")], "ConnectionResetError", "{tried:#?}");
    assert_eq!(tried[&here], "ConnectionResetError", "{tried:#?}");
    if let Some((name, addresses)) = &own {
        let entries = addresses.iter().map(|address| format!("{address}:{port}"));
        let mut entries: Vec<String> = entries.chain([format!("{name}:{port}")]).collect();
        entries.dedup();
        host.allow(&entries);
        let tried = host.reach(&places);
        assert_eq!(tried[&format!("{name}:{port}")], "said hello", "{tried:#?}");
        assert_eq!(tried[&format!("other.example:{port}")], "gaierror", "{tried:#?}");
    }

    // All that is public is not what is this machine's, or another private network's.
    host.allow(&[format!("*:{port}"), format!("*:{server}")]);
    let tried = host.reach(&places[..7]);
    for (place, came) in &tried {
        let refused = place.ends_with(&format!(":{other}"));
        assert_eq!(came, if refused { "ConnectionRefusedError" } else { "ConnectionResetError" }, "{place}");
    }

    // A port that the sandbox needs itself, and IPv6 where there is some.
    let six = TcpListener::bind("[::1]:0").ok().map(|listener| {
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // What is left unread would end the connection before the answer is there.
                read_request(&stream);
                stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nsix").unwrap();
            }
        });
        port
    });
    let mut entries = vec!["*:9001".to_owned(), format!("127.0.0.0/8:{port}")];
    entries.extend(six.map(|port| format!("[::1]:{port}")));
    host.allow(&entries);
    let mut places = vec![("127.0.0.1", port), ("127.0.0.2", port), ("127.0.0.3", 9001)];
    places.extend(six.map(|port| ("::1", port)));
    let tried = host.reach(&places);
    assert_eq!(tried[&here], "said hello", "{tried:#?}");
    assert_eq!(tried[&format!("127.0.0.2:{port}")], "said hello", "{tried:#?}");
    assert_eq!(tried["127.0.0.3:9001"], "ConnectionResetError", "{tried:#?}");
    if let Some(port) = six {
        assert_eq!(tried[&format!("::1:{port}")], "said six", "{tried:#?}");
    }

    // It outlasts a restart and a change of the code, and ends when it is taken away.
    let host = host.restart();
    let code = json!({ "ZipFile": zipped(&format!("{}\n\n", include_str!("code.py"))) });
    host.lambda(200, "PUT /2015-03-31/functions/reach/code", &code);
    assert_eq!(host.reach(&places[..1])[&here], "said hello");
    let shown = host.admin(200, "GET /functions/reach", &Value::Null);
    assert_eq!(shown.pointer("/network/allow"), Some(&json!(entries)));
    let metrics = host.root.send("s3", "GET /_refract/metrics", &[], "").text();
    let line = "refract_function_connections_total{function=\"reach\",outcome=\"connected\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    run(&host.server, host.dir.path(), &["function", "network", "reach", "--none"]);
    let tried = host.reach(&places);
    assert!(tried.values().all(|came| !came.starts_with("said")), "{tried:#?}");
    let shown = run(&host.server, host.dir.path(), &["function", "network", "reach"]);
    assert_eq!(shown, json!({ "allow": [] }));
}

#[test]
fn what_is_no_grant_is_refused_and_only_who_may_grants() {
    let host = Host::new();
    host.create("reach");
    let put = |status: u16, name: &str, body: &Value| {
        host.admin(status, &format!("PUT /functions/{name}/network"), body).to_string()
    };
    let said = put(400, "reach", &json!({ "allow": ["a.example:443", "a.example"] }));
    assert!(said.contains("allow[1]") && said.contains("port"), "{said}");
    let many: Vec<String> = (1..=101).map(|port| format!("a.example:{port}")).collect();
    let said = put(400, "reach", &json!({ "allow": many }));
    assert!(said.contains("101 entries; 100 are the most"), "{said}");
    put(400, "reach", &json!({}));
    put(400, "reach", &json!({ "allow": [], "deny": [] }));
    put(404, "nobody", &json!({ "allow": ["a.example:443"] }));
    put(400, "builtin-redact", &json!({ "allow": ["a.example:443"] }));
    host.admin(201, "PUT /functions/shrink", &json!({ "kind": "builtin", "transform": "identity" }));
    put(400, "shrink", &json!({ "allow": ["a.example:443"] }));
    put(200, "reach", &json!({ "allow": ["A.example:443"] }));
    let shown = host.admin(200, "GET /functions/reach/network", &Value::Null);
    assert_eq!(shown, json!({ "allow": ["a.example:443"] }));
    let output = refract()
        .args(["function", "network", "reach", "--allow", "x:0", "--endpoint-url"])
        .arg(format!("http://{}", host.server.address))
        .arg("--data-dir")
        .arg(host.dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("1 to 65535"), "{said}");

    // Who may change the function, in every other way, may not.
    let person = |name: &str, actions: &[&str]| {
        let policy = json!({ "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] });
        host.admin(200, &format!("PUT /accounts/root/users/{name}"), &json!({ "inline": { "own": policy } }));
        let key = host.admin(201, "POST /keys", &json!({ "user": name }));
        let text = |field: &str| key[field].as_str().unwrap_or_else(|| panic!("{key}")).to_owned();
        Person::new(host.server.address, &text("access_key_id"), &text("secret_access_key"))
    };
    let author = person("author", &["lambda:*", "refract:PutFunction", "refract:GetFunction*"]);
    let operator = person("operator", &["refract:PutFunctionNetwork", "refract:DeleteFunctionNetwork"]);
    let line = "/_refract/v1/functions/reach/network";
    let headers = [("content-type", "application/json")];
    let body = json!({ "allow": ["*:443"] }).to_string();
    for (who, get, put, delete) in [(&author, 200, 403, 403), (&operator, 403, 200, 204)] {
        assert_eq!(who.s3(&format!("GET {line}")).status, get);
        assert_eq!(who.send("s3", &format!("PUT {line}"), &headers, body.clone()).status, put);
        assert_eq!(who.s3(&format!("DELETE {line}")).status, delete);
    }
}

#[test]
fn workers_that_are_kept_ready_start_again_with_the_server() {
    let host = Host::new();
    host.create("start");
    let config = "/2019-09-30/functions/start/provisioned-concurrency?Qualifier=1";
    host.lambda(202, &format!("PUT {config}"), &json!({ "ProvisionedConcurrentExecutions": 2 }));
    let ready = |host: &Host| {
        let begun = Instant::now();
        loop {
            let shown = host.lambda(200, &format!("GET {config}"), &Value::Null);
            if shown["Status"] == "READY" {
                return assert_eq!(shown["AvailableProvisionedConcurrentExecutions"], 2, "{shown}");
            }
            assert_ne!(shown["Status"], "FAILED", "{shown}");
            assert!(begun.elapsed() < Duration::from_secs(60), "{shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    ready(&host);
    let provisioned = |host: &Host| {
        let begun = Instant::now();
        let line = "POST /2015-03-31/functions/start/invocations?Qualifier=1";
        while host.lambda(200, line, &json!({})) != "provisioned-concurrency" {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // Another grant is another sandbox.
    host.admin(200, "PUT /functions/start/network", &json!({ "allow": ["a.example:443"] }));
    provisioned(&host);
    // Once as an operator ends it, and once as a crash does.
    let host = host.restart();
    ready(&host);
    let Host { mut server, dir, .. } = host;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let (server, root) = start(&dir);
    let host = Host { root, server, dir };
    ready(&host);
    provisioned(&host);
    let metrics = host.root.send("s3", "GET /_refract/metrics", &[], "").text();
    let counted = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("refract_function_{name}_total{{")));
        line.unwrap_or_else(|| panic!("{metrics}")).rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!((counted("cold_starts").as_str(), counted("provisioned_invocations").as_str()), ("0", "1"));
}
