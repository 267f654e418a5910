//! A function that another Lambda service runs, as a lens: the request that it gets, and what becomes of its answers.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::support::{Client, Seen, Server, run, stand_in};

/// An Invoke API; the first letter of the key says what it answers. It notes what it was sent.
fn service() -> (u16, Seen) {
    stand_in(|_, mut stream, event| {
        let url = event.pointer("/userRequest/url").unwrap().as_str().unwrap().to_owned();
        let (status, headers, answer) = match url.rsplit('/').next().unwrap().chars().next().unwrap() {
            'h' => {
                let headers = json!({ "Content-Length": 7, "Content-Type": "text/x-far" });
                ("200 OK", "", json!({ "statusCode": 200, "headers": headers }).to_string())
            }
            'e' => {
                let kind = "x-amz-function-error: Unhandled\r\n";
                ("200 OK", kind, json!({ "errorMessage": "no", "errorType": "E" }).to_string())
            }
            'b' => ("429 Too Many Requests", "", "{}".to_owned()),
            _ => ("200 OK", "", "null".to_owned()),
        };
        let length = answer.len();
        let headers = format!("connection: close\r\n{headers}content-length: {length}\r\n");
        write!(stream, "HTTP/1.1 {status}\r\n{headers}\r\n{answer}").unwrap();
    })
}

#[test]
fn a_function_that_runs_elsewhere_is_invoked_and_its_answer_relayed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--webhook-private"]);
    let (port, seen) = service();
    let client = Client::new(&server, dir.path());
    let spec = json!({ "kind": "aws", "aws": {
        "function": "arn:aws:lambda:eu-west-1:123456789012:function:far", "qualifier": "live",
        "endpoint": format!("http://127.0.0.1:{port}"), "access_key_id": "AKIDFAR", "secret_access_key": "far-secret-1",
    }});
    let headers = "content-type: application/json\r\n";
    let made = client.send("PUT", "/_refract/v1/functions/far", headers, &spec.to_string());
    assert!(made.starts_with("HTTP/1.1 201") && !made.contains("far-secret-1"), "{made}");
    client.send("PUT", "/bucket", "", "");
    run(&server, dir.path(), &["access-point", "put", "point", "--bucket", "bucket"]);
    let put = ["object-lambda", "put", "lens", "--access-point", "point", "--function", "far"];
    let lens = run(&server, dir.path(), &put);
    let alias = lens.pointer("/alias").unwrap().as_str().unwrap().to_owned();

    let head = client.send("HEAD", &format!("/{alias}/h"), "", "");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: text/x-far"), "{head}");
    assert!(head.contains("content-length: 7"), "{head}");
    let (sent, event) = seen.lock().unwrap().remove(0);
    let path =
        "post /2015-03-31/functions/arn%3aaws%3alambda%3aeu%2dwest%2d1%3a123456789012%3afunction%3afar";
    assert!(sent.starts_with(path) && sent.contains("qualifier=live"), "{sent}");
    assert!(
        sent.contains("credential=akidfar/") && sent.contains("/eu-west-1/lambda/aws4_request"),
        "{sent}"
    );
    assert!(event.pointer("/headObjectContext/inputS3Url").is_some());

    for (key, status, code) in [
        ("e", "500", "LambdaRuntimeError"),
        ("b", "503", "SlowDown"),
        ("n", "500", "LambdaResponseNotReceived"),
    ] {
        let answer = client.get(&format!("/{alias}/{key}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{key}: {answer}");
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{key}: {answer}");
    }
    let used =
        run(&server, dir.path(), &["function", "usage", "far", "--group-by", "executor,object_lambda"]);
    let used = used.pointer("/usage/0").unwrap();
    let count = |name: &str| used.get(name).and_then(Value::as_u64).unwrap();
    assert_eq!((used["executor"].as_str(), used["object_lambda"].as_str()), (Some("aws"), Some("lens")));
    assert_eq!((count("requests"), count("invocations"), count("errors"), count("throttles")), (4, 3, 1, 1));
}
