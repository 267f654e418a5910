//! A webhook as a lens, in MinIO's shape: what it is sent, what it may answer, and where it may be.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::support::{Client, Seen, Server, run, stand_in};

/// What the URL of the input gives.
fn fetch(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A webhook; the first letter of the key says how it answers. It notes what it was sent.
fn webhook() -> (u16, Seen) {
    stand_in(|port, mut stream, event| {
        let context = event.get("getObjectContext").or_else(|| event.get("headObjectContext")).unwrap();
        let text = |name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let url = event.pointer("/userRequest/url").unwrap().as_str().unwrap().to_owned();
        let bound = format!(
            "x-amz-request-route: {}\r\nx-amz-request-token: {}\r\n",
            text("outputRoute"),
            text("outputToken")
        );
        let answer = match url.rsplit('/').next().unwrap().chars().next().unwrap() {
            'u' => {
                let body = fetch(&text("inputS3Url")).to_uppercase();
                let length = body.len();
                format!(
                    "200 OK\r\n{bound}content-type: text/x-loud\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            }
            'e' => format!(
                "200 OK\r\n{bound}x-amz-fwd-status: 404\r\nx-amz-fwd-error-code: NotHere\r\n\
                     x-amz-fwd-error-message: look elsewhere\r\ncontent-length: 0\r\n\r\n"
            ),
            't' => format!(
                "200 OK\r\n{}content-length: 6\r\n\r\nstolen",
                bound.replace("x-amz-request-token: ", "x-amz-request-token: A")
            ),
            'r' => format!(
                "302 Found\r\n{bound}location: http://127.0.0.1:{port}/u\r\ncontent-length: 0\r\n\r\n"
            ),
            'b' => {
                let head = format!("HTTP/1.1 200 OK\r\n{bound}content-length: {}\r\n\r\n", 64 << 20);
                // Until nobody takes it any more.
                std::thread::spawn(move || {
                    stream.write_all(head.as_bytes()).unwrap();
                    while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
                });
                return;
            }
            _ => "500 Internal Server Error\r\ncontent-length: 0\r\n\r\n".to_owned(),
        };
        // The connection ends with this answer: whoever is not told may send the next event into its end.
        let (status, rest) = answer.split_once("\r\n").unwrap();
        let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{rest}");
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

fn lens(server: &Server, data: &Path, url: &str) -> String {
    let token = data.join("token");
    std::fs::write(&token, "hook-token-1\n").unwrap();
    run(
        server,
        data,
        &["function", "put", "hook", "--webhook", url, "--token-file", token.to_str().unwrap()],
    );
    let client = Client::new(server, data);
    client.send("PUT", "/bucket", "", "");
    for key in ["u.txt", "e.txt", "t.txt", "r.txt", "b.txt", "x.txt"] {
        let answer = client.send("PUT", &format!("/bucket/{key}"), "", "hello, hook");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    run(server, data, &["access-point", "put", "point", "--bucket", "bucket"]);
    let lens =
        run(server, data, &["object-lambda", "put", "lens", "--access-point", "point", "--function", "hook"]);
    lens.pointer("/alias").unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_webhook_makes_the_object_and_must_answer_with_the_events_token() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--webhook-private"]);
    let (port, seen) = webhook();
    let alias = lens(&server, dir.path(), &format!("http://127.0.0.1:{port}/hook"));
    let client = Client::new(&server, dir.path());

    let answer = client.get(&format!("/{alias}/u.txt"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("HELLO, HOOK"), "{answer}");
    assert!(answer.contains("content-type: text/x-loud"), "{answer}");
    let (head, event) = seen.lock().unwrap().remove(0);
    assert!(
        head.starts_with("post /hook http/1.1") && head.contains("authorization: bearer hook-token-1"),
        "{head}"
    );
    assert_eq!(event.pointer("/userIdentity/type").unwrap(), "Root");
    assert!(event.pointer("/configuration/accessPointArn").is_some());

    for (key, status, code) in [
        ("e.txt", "404", "NotHere"),
        ("t.txt", "400", "LambdaInvalidResponse"),
        ("r.txt", "400", "LambdaInvocationFailed"),
        ("x.txt", "400", "LambdaInvocationFailed"),
    ] {
        let answer = client.get(&format!("/{alias}/{key}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{key}: {answer}");
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{key}: {answer}");
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4, "the redirect was not followed");
    let used =
        run(&server, dir.path(), &["function", "usage", "hook", "--group-by", "executor,object_lambda"]);
    let used = used.pointer("/usage/0").unwrap();
    let count = |name: &str| used.get(name).and_then(Value::as_u64).unwrap();
    assert_eq!((used["executor"].as_str(), used["object_lambda"].as_str()), (Some("webhook"), Some("lens")));
    assert_eq!((count("requests"), count("invocations"), count("errors")), (5, 5, 3));
    let events: usize = seen.iter().map(|(_, event)| event.to_string().len()).sum();
    assert!(count("received_bytes") > events as u64 && count("sent_bytes") == 11, "{used}");
    let shown = run(&server, dir.path(), &["function", "get", "hook"]);
    assert_eq!(shown.pointer("/webhook/has_token").unwrap(), true);
    assert!(!shown.to_string().contains("hook-token-1"));
}

#[test]
fn a_private_address_is_refused_unless_it_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let (port, seen) = webhook();
    let alias = lens(&server, dir.path(), &format!("http://localhost:{port}/hook"));
    let answer = Client::new(&server, dir.path()).get(&format!("/{alias}/u.txt"));
    assert!(answer.contains("<Code>LambdaInvocationFailed</Code>"), "{answer}");
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn a_slow_reader_keeps_others_from_webhooks_for_as_long_as_one_may_take_and_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--webhook-private", "--webhook-concurrency", "1", "--object-lambda-seconds", "5"];
    let server = Server::start(dir.path(), &flags);
    let (port, _seen) = webhook();
    let alias = lens(&server, dir.path(), &format!("http://127.0.0.1:{port}/hook"));
    let client = Client::new(&server, dir.path());
    let mut slow = server.connect();
    slow.write_all(client.request("GET", &format!("/{alias}/b.txt"), "", "").as_bytes()).unwrap();
    slow.read_exact(&mut [0; 12]).unwrap();
    let answer = client.get(&format!("/{alias}/u.txt"));
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("<Code>SlowDown</Code>"), "{answer}");
    std::thread::sleep(std::time::Duration::from_secs(6));
    let answer = client.get(&format!("/{alias}/u.txt"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("HELLO, HOOK"), "{answer}");
}
