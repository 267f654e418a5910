//! A Wasm component as a lens: registered by the command line, compiled by a process of its own, and held to its limits.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use crate::support::{Client, Server, read_request, refract, run};

#[test]
fn a_component_is_a_lens_and_a_hostile_one_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("probe.wasm");
    let probe = include_str!("../../transforms/functions/wasm/probe.component.wat");
    std::fs::write(&file, wat::parse_str(probe).unwrap()).unwrap();
    let mut server = Server::start(&data, &["--transform-output-bytes", "1MiB"]);
    let put = [
        "function",
        "put",
        "probe",
        "--wasm",
        file.to_str().unwrap(),
        "--timeout-seconds",
        "1",
        "--memory-mb",
        "8",
        "--payload",
        r#"{"n":1}"#,
    ];
    let function = run(&server, &data, &put);
    assert_eq!(function.pointer("/wasm/world").unwrap(), "transform");
    let client = Client::new(&server, &data);
    assert!(client.send("PUT", "/bucket", "", "").starts_with("HTTP/1.1 200"));
    for key in ["u.txt", "h", "f", "t", "l", "m", "w"] {
        let answer = client.send("PUT", &format!("/bucket/{key}"), "", "hello, lens");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    run(&server, &data, &["access-point", "put", "point", "--bucket", "bucket"]);
    let lens = run(
        &server,
        &data,
        &["object-lambda", "put", "lens", "--access-point", "point", "--function", "probe"],
    );
    let alias = lens.pointer("/alias").unwrap().as_str().unwrap().to_owned();
    let path = |key: &str| format!("/{alias}/{key}");

    let whole = client.get(&path("u.txt"));
    assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("\r\n\r\nHELLO, LENS"), "{whole}");
    assert!(whole.contains("content-length: 11") && whole.contains("-olap\""), "{whole}");
    let head = client.send("HEAD", &path("u.txt"), "", "");
    assert!(head.contains("content-length: 11") && head.ends_with("\r\n\r\n"), "{head}");
    let part = client.send("GET", &path("u.txt"), "range: bytes=7-10\r\n", "");
    assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("\r\n\r\nLENS"), "{part}");
    let headed = client.get(&path("h"));
    assert!(headed.contains("content-type: text/x-probe") && headed.ends_with(r#"{"n":1}"#), "{headed}");
    assert!(headed.contains("x-amz-meta-made-by: probe"), "{headed}");

    for (key, status, code) in [
        ("f", "418", "Teapot"),
        ("t", "500", "LambdaRuntimeError"),
        ("m", "500", "LambdaRuntimeError"),
        ("l", "500", "LambdaTimeout"),
    ] {
        let answer = client.get(&path(key));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{key}: {answer}");
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{key}: {answer}");
    }
    // Output without end: the answer has begun, so that the connection breaks off without the last chunk.
    let endless = client.get(&path("w"));
    assert!(endless.len() < 2 << 20 && !endless.ends_with("0\r\n\r\n"), "{}", endless.len());
    assert!(client.get(&path("u.txt")).ends_with("HELLO, LENS"));

    // What was compiled serves after a restart; what no function names any more is removed.
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());
    let server = Server::start(&data, &[]);
    let client = Client::new(&server, &data);
    let again = client.get(&path("u.txt"));
    assert!(again.ends_with("HELLO, LENS"), "{again}");
    assert_eq!(std::fs::read_dir(data.join("wasm")).unwrap().count(), 2);
    run(&server, &data, &["function", "delete", "probe"]);
    assert!(client.get(&path("u.txt")).contains("<Code>LambdaNotFound</Code>"));
    for _ in 0..100 {
        if std::fs::read_dir(data.join("wasm")).unwrap().count() == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the component is still there");
}

#[test]
fn what_is_no_component_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("module.wasm");
    std::fs::write(&file, wat::parse_str("(module)").unwrap()).unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data, &[]);
    let output = refract()
        .args(["function", "put", "f", "--wasm", file.to_str().unwrap(), "--endpoint-url"])
        .arg(format!("http://{}", server.address))
        .arg("--data-dir")
        .arg(&data)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("core Wasm module"), "{error}");
    // The compiler's refusal comes through as it is.
    let mut bytes = wat::parse_str("(component)").unwrap();
    bytes.extend_from_slice(&[99, 1, 0]);
    std::fs::write(&file, bytes).unwrap();
    let output = refract()
        .args(["function", "put", "f", "--wasm", file.to_str().unwrap(), "--endpoint-url"])
        .arg(format!("http://{}", server.address))
        .arg("--data-dir")
        .arg(&data)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("InvalidRequest: component:"), "{error}");
}

#[test]
fn a_component_asks_other_servers_once_an_operator_lets_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("fetch.wasm");
    let fetch = include_str!("../../transforms/functions/wasm/fetch.component.wat");
    std::fs::write(&file, wat::parse_str(fetch).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (head, _) = read_request(&stream);
            let body = head.lines().next().unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    let mut server = Server::start(&data, &[]);
    let put = ["function", "put", "fetch", "--wasm", file.to_str().unwrap()];
    run(&server, &data, &put);
    let key = format!("h127.0.0.1_{port}/page");
    {
        let client = Client::new(&server, &data);
        assert!(client.send("PUT", "/bucket", "", "").starts_with("HTTP/1.1 200"));
        assert!(client.send("PUT", &format!("/bucket/{key}"), "", "x").starts_with("HTTP/1.1 200"));
    }
    run(&server, &data, &["access-point", "put", "point", "--bucket", "bucket"]);
    let lens = ["object-lambda", "put", "lens", "--access-point", "point", "--function", "fetch"];
    let lens = run(&server, &data, &lens);
    let path = format!("/{}/{key}", lens.pointer("/alias").unwrap().as_str().unwrap());
    let refused = |server: &Server| {
        let answer = Client::new(server, &data).get(&path);
        // HTTP-request-denied, as the component numbers it.
        assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("<Message>015</Message>"), "{answer}");
    };
    refused(&server);
    run(&server, &data, &["function", "network", "fetch", "--allow", &format!("127.0.0.1:{port}")]);
    let answer = Client::new(&server, &data).get(&path);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("get /page http/1.1"), "{answer}");
    // A change of the function leaves the grant, and so does a restart; one that needs none has none.
    let put = ["function", "put", "fetch", "--wasm", file.to_str().unwrap(), "--memory-mb", "9"];
    let shown = run(&server, &data, &put);
    assert_eq!(shown.pointer("/network/allow/0").unwrap(), &format!("127.0.0.1:{port}"));
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());
    let server = Server::start(&data, &[]);
    let answer = Client::new(&server, &data).get(&path);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("get /page http/1.1"), "{answer}");
    run(&server, &data, &["function", "network", "fetch", "--none"]);
    refused(&server);
}
