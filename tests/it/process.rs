//! The process: its start, what it refuses to start with, and its end.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::{Client, Server, refract};

fn failure(arguments: &[&str]) -> String {
    let output = refract().args(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_first_start_makes_credentials_that_only_the_owner_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    for file in ["root-credentials.toml", "master.key"] {
        let mode = std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let answer = server.send("GET /_refract/health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_connection_ends_where_a_client_waits_to_send_an_empty_body() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let put = |more: &str| format!("PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n{more}\r\n");
    // The second request has no answer on the first connection: it was closed.
    let answer = server.send(&format!("{}{}", put("expect: 100-continue\r\n"), put("connection: close\r\n")));
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    let answer = server.send(&format!("{}{}", put(""), put("connection: close\r\n")));
    assert_eq!(answer.matches("HTTP/1.1 404").count(), 2, "{answer}");
}

#[test]
fn a_second_process_on_the_same_directory_is_refused_by_the_first_ones_number() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let error = failure(&["serve", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()]);
    assert!(error.contains(&format!("in use by process {}", server.child.id())), "{error}");
    assert!(error.contains("--data-dir"), "{error}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("refract.toml");
    std::fs::write(&file, "durabilty = \"sync\"").unwrap();
    let error = failure(&["serve", "--config", file.to_str().unwrap()]);
    assert!(error.contains("durabilty") && error.contains("did you mean durability?"), "{error}");
    let error = failure(&["serve", "--durability", "none"]);
    assert!(error.contains("--durability") && error.contains("sync, relaxed"), "{error}");
    let error = failure(&[
        "serve",
        "--tls-cert",
        "/nowhere/cert.pem",
        "--tls-key",
        "/nowhere/key.pem",
        "--data-dir",
        dir.path().join("d").to_str().unwrap(),
    ]);
    assert!(error.contains("/nowhere/cert.pem"), "{error}");
}

#[test]
fn a_signal_ends_the_server_once_requests_in_flight_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), &["--drain-seconds", "20"]);
    let mut slow = server.connect();
    // Half a request: the server waits for the rest of its body, which the check of the signature needs.
    let head = "POST /_refract/v1/keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nothing\r\ncontent-length: 2\r\n\r\n";
    slow.write_all(head.as_bytes()).unwrap();
    let mut idle = server.connect();
    std::thread::sleep(Duration::from_millis(200));
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(std::net::TcpStream::connect(server.address).is_err(), "no new connections");
    slow.write_all(b"{}").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let mut nothing = Vec::new();
    assert_eq!(idle.read_to_end(&mut nothing).unwrap_or(0), 0);
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn heads_that_are_too_long_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--head-bytes", "8KiB"]);
    let long = "x".repeat(20_000);
    let answer = server.send(&format!("GET / HTTP/1.1\r\nhost: x\r\na: {long}\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[test]
fn a_stranger_is_refused_and_told_nothing_of_what_is_not_shared() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    // Who has no key has no buckets, and no bucket of that name is there.
    for (target, told) in [("/", "200 OK"), ("/bucket/key", "404 Not Found")] {
        let answer = server.send(&format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {told}")) && !answer.contains("<Bucket>"), "{answer}");
    }
    for target in ["/_refract/v1/keys", "http://example.com/"] {
        let host = if target.starts_with("http") { "example.com" } else { "x" };
        let answer =
            server.send(&format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403"), "{target}: {answer}");
    }
    let answer =
        server.send("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("no_proxy"), "{answer}");
}

/// Starts a server, lets it write, kills it, and answers what a new one on the same directory has of each key.
fn after_a_kill(durability: &str, wait: Duration) -> Vec<(String, bool)> {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--durability", durability];
    let mut server = Server::start(dir.path(), &flags);
    let body = |key: &str, n: usize| format!("{key} ").repeat(if n.is_multiple_of(4) { 20_000 } else { 50 });
    let mut keys = Vec::new();
    let mut put = |client: &Client<'_>, kind: &str| {
        for n in 0..20 {
            let key = format!("{kind}-{n}");
            let answer = client.send("PUT", &format!("/killed/{key}"), "", &body(&key, n));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            keys.push((key, n));
        }
    };
    let client = Client::new(&server, dir.path());
    assert!(client.send("PUT", "/killed", "", "").starts_with("HTTP/1.1 200"));
    put(&client, "early");
    std::thread::sleep(wait);
    put(&client, "late");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(dir.path(), &flags);
    let client = Client::new(&server, dir.path());
    let there = keys.into_iter().map(|(key, n)| {
        let answer = client.get(&format!("/killed/{key}"));
        let there = answer.starts_with("HTTP/1.1 200");
        assert!(there || answer.starts_with("HTTP/1.1 404"), "{key}: {answer}");
        // Whole or not at all.
        assert!(!there || answer.ends_with(&format!("\r\n\r\n{}", body(&key, n))), "{key} is in part");
        (key, there)
    });
    there.collect()
}

#[test]
fn a_killed_process_loses_nothing_that_it_answered() {
    let there = after_a_kill("sync", Duration::ZERO);
    assert!(there.iter().all(|(_, there)| *there), "{there:?}");
}

#[test]
fn with_relaxed_durability_a_killed_process_loses_only_what_waits_for_its_flush() {
    // A flush begins after a second; five leave room for a slow disk.
    let there = after_a_kill("relaxed", Duration::from_secs(5));
    assert!(there.iter().filter(|(key, _)| key.starts_with("early")).all(|(_, there)| *there), "{there:?}");
}

#[test]
fn a_long_delete_of_many_goes_on_below_the_reserve() {
    use md5::Digest as _;
    let dir = tempfile::tempdir().unwrap();
    let key = |n: usize| format!("{n:0100}");
    {
        let server = Server::start(dir.path(), &[]);
        let client = Client::new(&server, dir.path());
        assert!(client.send("PUT", "/full", "", "").starts_with("HTTP/1.1 200"));
        assert!(client.send("PUT", &format!("/full/{}", key(7)), "", "x").starts_with("HTTP/1.1 200"));
        server.signal("TERM");
    }
    let server = Server::start(dir.path(), &["--disk-reserve-bytes", "1024TiB"]);
    let client = Client::new(&server, dir.path());
    let answer = client.send("PUT", "/full/k", "", "x");
    assert!(answer.starts_with("HTTP/1.1 507"), "{answer}");
    let named: String = (0..1000).map(|n| format!("<Object><Key>{}</Key></Object>", key(n))).collect();
    let document = format!("<Delete>{named}</Delete>");
    assert!(document.len() > 100_000);
    let md5 = data_encoding::BASE64.encode(&md5::Md5::digest(&document));
    let answer = client.send("POST", "/full?delete", &format!("content-md5: {md5}\r\n"), &document);
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("<Error>"), "{answer}");
    assert!(client.get(&format!("/full/{}", key(7))).starts_with("HTTP/1.1 404"));
}
