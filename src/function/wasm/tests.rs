//! Runs of a probe that behaves and misbehaves, see `transforms/functions/wasm/probe.wat`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use refract_transforms::{Context, Input, Limits, TransformError};
use tokio::sync::mpsc;

use super::*;
use crate::function::builtin::WasmTask;
use crate::function::network::Network;
use crate::function::network::tests::{grant, network};
use crate::function::run::{Output, RunError};
use crate::store::{BodyError, Payload};

/// The probe: `probe.wat` as a component.
fn probe() -> Vec<u8> {
    wat::parse_str(include_str!("../../../transforms/functions/wasm/probe.component.wat")).unwrap()
}

fn options(dir: &tempfile::TempDir) -> Options {
    Options {
        network: network(&[]).0,
        data_dir: dir.path().to_owned(),
        key: [3; 32],
        instances: 16,
        threads: 2,
        long_threads: 2,
        compile_timeout: Duration::from_secs(60),
        queue: Duration::from_millis(200),
    }
}

struct Fixture {
    _dir: tempfile::TempDir,
    components: Components,
    task: WasmTask,
}

async fn fixture() -> Fixture {
    fixture_of(probe(), WasmWorld::Transform).await
}

async fn fixture_of(component: Vec<u8>, world: WasmWorld) -> Fixture {
    fixture_with(component, world, network(&[]).0).await
}

async fn fixture_with(component: Vec<u8>, world: WasmWorld, network: Network) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let components = Components::new(Options { network, ..options(&dir) });
    let registered = components.register(component).await.unwrap();
    assert_eq!(registered.world, world);
    let task = WasmTask {
        name: "probe".into(),
        digest: registered.digest,
        memory: 8 << 20,
        timeout: Duration::from_secs(10),
        concurrency: None,
        payload: r#"{"n":1}"#.into(),
    };
    Fixture { _dir: dir, components, task }
}

fn context(key: &str) -> Context {
    Context { input: Input { key: key.into(), bucket: "b".into(), ..Input::default() }, ..Context::default() }
}

impl Fixture {
    async fn run(&self, key: &str, input: Payload) -> Result<Output, RunError> {
        self.components.run(&self.task, &context(key), input).await
    }
}

async fn gather(body: Payload) -> Result<Vec<u8>, BodyError> {
    match body {
        Payload::Bytes(bytes) => Ok(bytes.to_vec()),
        Payload::Stream(mut stream, _) => {
            let mut all = Vec::new();
            while let Some(chunk) = stream.next().await {
                all.extend_from_slice(&chunk?);
            }
            Ok(all)
        }
    }
}

fn stream(chunks: Vec<Result<Bytes, BodyError>>) -> Payload {
    Payload::Stream(Box::pin(futures_util::stream::iter(chunks)), None)
}

fn filler(size: usize) -> Bytes {
    (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<u8>>().into()
}

#[tokio::test]
async fn bytes_pass_through_a_function_and_a_small_answer_is_whole() {
    let fixture = fixture().await;
    let output = fixture.run("u", Payload::Bytes(Bytes::from_static(b"Hello, lens"))).await.unwrap();
    let Payload::Bytes(bytes) = output.body else { panic!("small") };
    assert_eq!(bytes, "HELLO, LENS");
    let large = filler(5 << 20);
    for key in ["c", "u"] {
        let input = stream(vec![Ok(large.slice(..1 << 20)), Ok(large.slice(1 << 20..))]);
        let output = fixture.run(key, input).await.unwrap();
        assert!(matches!(output.body, Payload::Stream(..)));
        let want = if key == "c" { large.to_vec() } else { large.to_ascii_uppercase() };
        assert!(gather(output.body).await.unwrap() == want, "{key}");
    }
    assert!(fixture.run("c", Payload::Bytes(Bytes::new())).await.is_ok());
}

/// `c/proxy.c` as a component of `wasi:http/proxy`.
fn proxy() -> Vec<u8> {
    wat::parse_str(include_str!("../../../transforms/functions/wasm/proxy.component.wat")).unwrap()
}

#[tokio::test]
async fn a_fetch_handler_streams_sets_the_head_and_may_refuse() {
    let fixture = fixture_of(proxy(), WasmWorld::Http).await;
    let output = fixture.run("u", Payload::Bytes(Bytes::from_static(b"Hello, lens"))).await.unwrap();
    assert_eq!(output.head.content_type.as_deref(), Some("text/x-loud"));
    assert_eq!(output.head.metadata, Some(BTreeMap::from([("made-by".to_owned(), "proxy".to_owned())])));
    assert_eq!(gather(output.body).await.unwrap(), b"HELLO, LENS");
    let large = filler(5 << 20);
    let input = stream(vec![Ok(large.slice(..1 << 20)), Ok(large.slice(1 << 20..))]);
    let output = fixture.run("u", input).await.unwrap();
    assert!(gather(output.body).await.unwrap() == large.to_ascii_uppercase());

    // What it made of a part is there before the rest of the object is.
    let (sender, receiver) = mpsc::channel::<Result<Bytes, BodyError>>(1);
    sender.send(Ok(Bytes::from_static(b"first "))).await.unwrap();
    let input = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let output = fixture.run("u", Payload::Stream(Box::pin(input), None)).await.unwrap();
    let Payload::Stream(mut body, _) = output.body else { panic!("it has not ended") };
    assert_eq!(body.next().await.unwrap().unwrap(), "FIRST ");
    sender.send(Ok(Bytes::from_static(b"last"))).await.unwrap();
    drop(sender);
    assert_eq!(body.next().await.unwrap().unwrap(), "LAST");
    assert!(body.next().await.is_none());

    match fixture.run("e", Payload::Bytes(Bytes::new())).await.unwrap_err() {
        RunError::Refused { status: 409, code, message } => {
            assert_eq!((code.as_str(), message.as_str()), ("NotToday", "come tomorrow"));
        }
        other => panic!("{other}"),
    }
    // A trap after the first bytes, and an object that breaks off: the body does not end well.
    let output = fixture.run("x", Payload::Bytes(filler(100))).await;
    assert!(match output {
        Ok(output) => gather(output.body).await.is_err(),
        Err(_) => true,
    });
    let broken = stream(vec![Ok(filler(1 << 20)), Err(BodyError::Read("bad segment".into()))]);
    let output = fixture.run("u", broken).await;
    assert!(match output {
        Ok(output) => gather(output.body).await.is_err(),
        Err(_) => true,
    });
}

#[tokio::test]
async fn a_function_sets_the_head_before_its_first_byte_and_may_refuse() {
    let fixture = fixture().await;
    let output = fixture.run("h", Payload::Bytes(Bytes::new())).await.unwrap();
    assert_eq!(output.head.content_type.as_deref(), Some("text/x-probe"));
    assert_eq!(output.head.content_encoding, Some(None));
    let metadata = BTreeMap::from([("made-by".to_owned(), "probe".to_owned())]);
    assert_eq!(output.head.metadata, Some(metadata));
    assert_eq!(gather(output.body).await.unwrap(), br#"{"n":1}"#);
    match fixture.run("f", Payload::Bytes(Bytes::new())).await.unwrap_err() {
        RunError::Refused { status: 418, code, message } => {
            assert_eq!((code.as_str(), message.as_str()), ("Teapot", "short and stout"));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_trap_is_an_error_and_after_the_first_bytes_a_broken_body() {
    let fixture = fixture().await;
    match fixture.run("t", Payload::Bytes(Bytes::new())).await.unwrap_err() {
        RunError::Failed { message, .. } => assert!(message.contains("unreachable"), "{message}"),
        other => panic!("{other}"),
    }
    let output = fixture.run("x", Payload::Bytes(Bytes::new())).await.unwrap();
    assert!(gather(output.body).await.is_err());
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_no_answer() {
    let fixture = fixture().await;
    let broken = || Err(BodyError::Read("bad segment".into()));
    assert!(matches!(fixture.run("u", stream(vec![broken()])).await, Err(RunError::Input(_))));
    let output = fixture.run("u", stream(vec![Ok(filler(1 << 20)), broken()])).await.unwrap();
    assert!(gather(output.body).await.is_err());
}

#[tokio::test]
async fn an_endless_loop_is_ended_by_its_deadline_and_holds_nobody_up() {
    let fixture = fixture().await;
    let task = WasmTask { timeout: Duration::from_millis(600), ..fixture.task.clone() };
    let context = context("l");
    let loops: Vec<_> = (0..4)
        .map(|_| {
            let (components, task, context) = (fixture.components.clone(), task.clone(), context.clone());
            tokio::spawn(async move { components.run(&task, &context, Payload::Bytes(Bytes::new())).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    let other = WasmTask { name: "other".into(), ..fixture.task.clone() };
    for _ in 0..20 {
        let input = Payload::Bytes(Bytes::from_static(b"x"));
        fixture.components.run(&other, &self::context("u"), input).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(2_000), "{:?}", start.elapsed());
    for looping in loops {
        assert!(matches!(looping.await.unwrap(), Err(RunError::Timeout(_))));
    }
}

#[tokio::test]
async fn memory_and_output_have_their_limits() {
    let fixture = fixture().await;
    match fixture.run("m", Payload::Bytes(Bytes::new())).await.unwrap_err() {
        RunError::Failed { message, .. } => assert_eq!(message, "The function ran out of memory"),
        other => panic!("{other}"),
    }
    let limits = Limits { output_bytes: 1 << 20, ..Limits::default() };
    let context = Context { limits, ..context("w") };
    let output = fixture.components.run(&fixture.task, &context, Payload::Bytes(Bytes::new())).await.unwrap();
    let Payload::Stream(mut body, _) = output.body else { panic!("large") };
    let (mut read, mut failed) = (0, false);
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => read += chunk.len(),
            Err(_) => failed = true,
        }
    }
    assert!(failed && read == 1 << 20, "{read}");
    let limits = Limits { output_bytes: 1 << 10, ..Limits::default() };
    let context = Context { limits, ..context };
    let outcome = fixture.components.run(&fixture.task, &context, Payload::Bytes(Bytes::new())).await;
    assert!(matches!(outcome, Err(RunError::Transform(TransformError::Limit { .. }))));
}

#[tokio::test]
async fn what_always_fails_is_told_so_later_and_costs_nobody_meanwhile() {
    let fixture = fixture().await;
    let nothing = || Payload::Bytes(Bytes::new());
    for _ in 0..8 {
        assert!(matches!(fixture.run("m", nothing()).await, Err(RunError::Failed { .. })));
    }
    let start = Instant::now();
    // The last of four is told when 400 ms have passed.
    let failing = async {
        let four = [(); 4].map(|()| fixture.run("m", nothing()));
        for failed in futures_util::future::join_all(four).await {
            assert!(matches!(failed, Err(RunError::Failed { .. })));
        }
        start.elapsed()
    };
    // The instances are gone before that is told, and others of the same function are answered at once.
    let others = async {
        while fixture.components.live() > 0 {
            tokio::task::yield_now().await;
        }
        fixture.run("u", Payload::Bytes(Bytes::from_static(b"x"))).await.unwrap();
        start.elapsed()
    };
    let (failed, answered) = tokio::join!(failing, others);
    assert!(failed >= Duration::from_millis(400) && answered < failed, "{failed:?} {answered:?}");
}

#[tokio::test]
async fn a_slow_reader_holds_its_own_instance_and_one_that_leaves_frees_it() {
    let fixture = fixture().await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(fixture.run("w", Payload::Bytes(Bytes::new())).await.unwrap());
    }
    // Half of all instances are held: no more of this function, and all that others want.
    assert!(matches!(fixture.run("u", Payload::Bytes(Bytes::new())).await, Err(RunError::Busy(_))));
    let other = WasmTask { name: "other".into(), ..fixture.task.clone() };
    let input = || Payload::Bytes(Bytes::from_static(b"x"));
    fixture.components.run(&other, &context("u"), input()).await.unwrap();
    // An instance goes a moment after its last byte has come.
    let settled = async |live| {
        for _ in 0..200 {
            if fixture.components.live() == live {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(fixture.components.live(), live);
    };
    settled(8).await;
    drop(held);
    settled(0).await;
    fixture.run("u", input()).await.unwrap();
    let stopped = WasmTask { concurrency: Some(0), ..fixture.task.clone() };
    let refused = fixture.components.run(&stopped, &context("u"), input()).await;
    assert!(matches!(refused, Err(RunError::Busy(_))));
}

#[tokio::test]
async fn what_is_no_component_of_ours_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let components = Components::new(options(&dir));
    let why = |bytes: Vec<u8>| async { components.register(bytes).await.unwrap_err().to_string() };
    assert!(why(b"#!/bin/sh".to_vec()).await.contains("not a Wasm component"));
    assert!(why(wat::parse_str("(module)").unwrap()).await.contains("core Wasm module"));
    assert!(why(wat::parse_str("(component)").unwrap()).await.contains("exports neither"));
    let importing = r#"(component (import "made:up/thing@1.0.0" (instance (export "f" (func))))
        (core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func (export "transform") (canon lift (core func $i "f"))))"#;
    assert!(why(wat::parse_str(importing).unwrap()).await.contains("made:up/thing"));
    let mut cut = probe();
    cut.truncate(cut.len() / 2);
    assert!(!why(cut).await.is_empty());
    assert!(components.0.artifacts.components().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_compiled_serves_after_a_restart_and_a_changed_file_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let digest = Components::new(options(&dir)).register(probe()).await.unwrap().digest;
    let fixture = |components| Fixture {
        _dir: tempfile::tempdir().unwrap(),
        components,
        task: WasmTask {
            name: "probe".into(),
            digest: digest.clone(),
            memory: 8 << 20,
            timeout: Duration::from_secs(10),
            concurrency: None,
            payload: "{}".into(),
        },
    };
    let again = fixture(Components::new(options(&dir)));
    again.run("u", Payload::Bytes(Bytes::from_static(b"a"))).await.unwrap();
    let folder = dir.path().join("wasm");
    let compiled = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "cwasm"))
        .unwrap();
    let mut bytes = std::fs::read(&compiled).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&compiled, bytes).unwrap();
    let third = fixture(Components::new(options(&dir)));
    let first = third.run("u", Payload::Bytes(Bytes::from_static(b"a"))).await;
    assert!(matches!(first, Err(RunError::Busy(_))), "never loaded");
    for _ in 0..400 {
        if third.run("u", Payload::Bytes(Bytes::from_static(b"a"))).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it was not compiled again");
}

/// `c/fetch.c` as a component of `wasi:http/proxy`, which asks another server for what the key says.
fn fetch() -> Vec<u8> {
    wat::parse_str(include_str!("../../../transforms/functions/wasm/fetch.component.wat")).unwrap()
}

/// A server that answers with the first line and the host of a request, and at `/large` with much.
async fn upstream() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    // Whoever speaks TLS has no end of a head.
                    match tokio::io::AsyncReadExt::read_u8(&mut stream).await {
                        Ok(byte) if head.first() != Some(&22) => head.push(byte),
                        _ => return drop(stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
                    }
                }
                let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                let host = head.lines().find(|line| line.starts_with("host:")).unwrap();
                let mut body = format!("{}|{host}", head.lines().next().unwrap()).into_bytes();
                if head.starts_with("get /large") {
                    body = filler(5 << 20).to_vec();
                }
                let length = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                tokio::io::AsyncWriteExt::write_all(&mut stream, length.as_bytes()).await.unwrap();
                tokio::io::AsyncWriteExt::write_all(&mut stream, &body).await.unwrap();
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_asks_what_its_function_was_granted() {
    let names: [(&str, &[&str]); 2] =
        [("api.example", &["127.0.0.1"]), ("meta.example", &["169.254.169.254"])];
    let (network, catalog, metrics) = network(&names);
    let port = upstream().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let fixture = fixture_with(fetch(), WasmWorld::Http, network).await;
    let ask = async |key: &str| match fixture.run(key, Payload::Bytes(Bytes::new())).await {
        Ok(output) => String::from_utf8(gather(output.body).await.unwrap()).unwrap(),
        Err(RunError::Refused { status: 502, code, message }) if code == "NoAnswer" => message,
        Err(other) => panic!("{key}: {other}"),
    };
    // The numbers are those of wasi:http's error-code.
    let (denied, prohibited, refused, unknown) = ("015", "004", "006", "001");
    let (by_address, by_name) = (format!("h127.0.0.1_{port}/a?b=c"), format!("hapi.example_{port}/"));
    assert_eq!(ask(&by_address).await, denied, "no grant, no network");
    let local = format!("127.0.0.1/32:{port}");
    grant(&catalog, "probe", &[&local, &format!("*.example:{port}"), &format!("127.0.0.1:{closed}")]).await;
    assert_eq!(ask(&by_address).await, format!("get /a%3fb%3dc http/1.1|host: 127.0.0.1:{port}"));
    assert_eq!(ask(&by_name).await, format!("get / http/1.1|host: api.example:{port}"));
    for (key, why) in [
        (format!("hmeta.example_{port}/"), prohibited),
        (format!("hno.example_{port}/"), unknown),
        (format!("h127.0.0.1_{closed}/"), refused),
        (format!("h127.0.0.2_{port}/"), denied),
        (format!("hother.test_{port}/"), denied),
        ("hapi.example/".to_owned(), denied),
        ("sapi.example/".to_owned(), denied),
    ] {
        assert_eq!(ask(&key).await, why, "{key}");
    }
    let large = fixture.run(&format!("h127.0.0.1_{port}/large"), Payload::Bytes(Bytes::new())).await.unwrap();
    assert!(gather(large.body).await.unwrap() == filler(5 << 20));
    // It is no TLS that is spoken there.
    assert_eq!(ask(&format!("s127.0.0.1_{port}/")).await, "012");
    let text = metrics.render();
    let line = "refract_function_connections_total{function=\"probe\",outcome=\"connected\"} 4";
    assert!(text.contains(line), "{text}");
    grant(&catalog, "probe", &[]).await;
    assert_eq!(ask(&by_address).await, denied);
}
