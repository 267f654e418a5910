//! Clients that stop: sending a body, or taking an answer. And bodies of callers that have shown nothing.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::support::{Client, Server};

#[test]
fn a_body_that_stops_coming_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--body-idle-seconds", "1"]);
    let client = Client::new(&server, dir.path());
    assert!(client.send("PUT", "/bucket", "", "").starts_with("HTTP/1.1 200"));
    let anonymous =
        format!("PUT /bucket?tagging HTTP/1.1\r\nhost: {}\r\ncontent-length: 9\r\n\r\n", server.address);
    let signed = client.request("PUT", "/bucket/key", "", "");
    let signed = signed.replace("content-length: 0", "content-length: 9");
    for request in [anonymous, signed] {
        let begun = Instant::now();
        let answer = server.send(&format!("{request}<T"));
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("<Code>RequestTimeout</Code>"),
            "{answer}"
        );
        assert!((1..10).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_client_that_stops_reading_loses_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--body-idle-seconds", "1"]);
    let client = Client::new(&server, dir.path());
    client.send("PUT", "/bucket", "", "");
    // More than the sockets of both ends hold.
    let large = "x".repeat(32 << 20);
    assert!(client.send("PUT", "/bucket/large", "", &large).starts_with("HTTP/1.1 200"));
    let request = client.request("GET", "/bucket/large", "", "");
    for (pause, whole) in [(0, true), (4, false)] {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(pause));
        let mut answer = Vec::new();
        // The end may be a reset.
        drop(stream.read_to_end(&mut answer));
        assert_eq!(answer.len() > large.len(), whole, "{} after {pause} s", answer.len());
    }
}

#[test]
fn no_body_is_waited_for_that_names_a_key_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.get(..8).unwrap();
    let answer = server.send(&format!(
        "PUT /bucket/key HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-amz-date: {now}\r\nauthorization: \
         AWS4-HMAC-SHA256 Credential=AKIANOBODY/{day}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature={:064}\r\ncontent-length: 1000000\r\n\r\n",
        server.address, 0
    ));
    assert!(answer.contains("<Code>InvalidAccessKeyId</Code>"), "{answer}");
}

#[test]
fn who_sends_all_of_what_is_refused_reads_why() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    // More than the sockets of both ends hold.
    let body = vec![b'x'; 32 << 20];
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for _ in 0..2 {
        let head = format!("PUT /nobody-s/key HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(answer.get(..length).unwrap());
        assert!(answer.starts_with("HTTP/1.1 40") && answer.contains("<Code>"), "{answer}");
    }
}

#[test]
fn a_form_whose_head_never_ends_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    Client::new(&server, dir.path()).send("PUT", "/bucket", "", "");
    let mut stream = server.connect();
    let head = "POST /bucket HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
                content-type: multipart/form-data; boundary=X\r\n\r\n8\r\n--X\r\na: \r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut sent = 0;
    // The server closes once it has had enough.
    while sent < 256 << 20
        && stream.write_all(format!("10000\r\n{}\r\n", "x".repeat(1 << 16)).as_bytes()).is_ok()
    {
        sent += 1 << 16;
    }
    assert!(sent < 256 << 20);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.contains("<Code>MaxPostPreDataLengthExceeded</Code>"), "{answer}");
}
