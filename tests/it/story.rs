//! The analyst reads `people.csv` only redacted, the auditor in full, the public a thumbnail; and of the eleven ways
//! round the lens each is closed to the analyst. Over HTTP, with real signatures, through a built-in and through a
//! function that runs code: python3 must be in `PATH`.

mod world;

use std::time::{Duration, Instant};

use http::Request;
use serde_json::{Value, json};

use crate::client::{Answer, Person, fetch, fetch_url};
use world::{ACCOUNT, PEOPLE, PHOTO, REDACTED, Story, element};

/// Refused, and nothing is shown.
fn refused(way: &str, answer: &Answer) {
    assert_eq!(answer.status, 403, "{way}: {}", answer.text());
    assert!(!answer.text().contains("@example"), "{way} shows something: {}", answer.text());
}

fn masked(text: &str) -> bool {
    text.contains("(masked)") && !text.contains('@') && text.lines().count() == PEOPLE.lines().count()
}

#[test]
fn each_sees_their_own_lens() {
    let story = Story::new();
    let Story { root, analyst, auditor, visitor, redacted, masked: lens, thumbnail, .. } = &story;
    assert!(PEOPLE.contains("@example"), "the sample has something to hide");
    assert_eq!(analyst.expect(200, &format!("GET /{redacted}/people.csv"), "").text(), REDACTED);
    let seen = analyst.expect(200, &format!("GET /{lens}/people.csv"), "").text();
    assert!(masked(&seen), "{seen}");
    assert_eq!(auditor.expect(200, "GET /data/people.csv", "").text(), PEOPLE);
    refused("a lens that is not the auditor's", &auditor.s3(&format!("GET /{redacted}/people.csv")));

    // The public comes with URLs that the visitor's key has signed…
    let url = visitor.presign(&format!("GET /{thumbnail}/photo.jpg"));
    let small = fetch_url("GET", &url);
    assert_eq!(small.status, 200, "{}", small.text());
    assert!(small.body.len() < PHOTO.len() / 4 && small.headers["content-type"] == "image/jpeg");
    for line in [
        format!("GET /{thumbnail}/people.csv"),
        format!("GET /{redacted}/people.csv"),
        "GET /data/photo.jpg".to_owned(),
    ] {
        refused(&line, &fetch_url("GET", &visitor.presign(&line)));
    }
    // … or without any key, to a thumbnail that was put where everybody may read.
    root.expect(204, "DELETE /public?publicAccessBlock", "");
    let open = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::public/*"}}"#;
    root.expect(204, "PUT /public?policy", open);
    root.expect(200, "PUT /public/photo.jpg", small.body.clone());
    let at = format!("http://{}", story.server.address);
    assert_eq!(fetch_url("GET", &format!("{at}/public/photo.jpg")).body, small.body);
    for path in [
        "data/photo.jpg",
        "data/people.csv",
        &format!("{thumbnail}/photo.jpg"),
        &format!("{lens}/people.csv"),
    ] {
        refused(path, &fetch_url("GET", &format!("{at}/{path}")));
    }
}

#[test]
fn the_ways_by_s3_itself_are_closed() {
    let story = Story::new();
    let Story { analyst, point, redacted, masked, version, .. } = &story;
    let lenses = [redacted.as_str(), masked];
    let names = ["data", point, redacted, masked];

    let way = "1, the bucket's own name";
    refused(way, &analyst.s3("GET /data/people.csv"));
    let way = "2, the plain access point";
    refused(way, &analyst.s3(&format!("GET /{point}/people.csv")));
    refused(way, &by_its_host(&story));

    let way = "3, a URL";
    for name in ["data", point] {
        refused(way, &fetch_url("GET", &analyst.presign(&format!("GET /{name}/people.csv"))));
    }
    for lens in lenses {
        // It is worth what its signer may, and nothing once it is altered.
        let url = analyst.presign(&format!("GET /{lens}/people.csv"));
        assert_eq!(fetch_url("GET", &url).status, 200);
        refused(way, &fetch_url("GET", &analyst.presign(&format!("GET /{lens}/other.csv"))));
        for altered in [
            url.replace("/people.csv", "/other.csv"),
            url.replace(lens, "data"),
            url.replace(lens, point),
            format!("{url}&versionId={version}"),
            url.replace("X-Amz-Expires=300", "X-Amz-Expires=604800"),
        ] {
            assert_ne!(altered, url);
            refused(way, &fetch_url("GET", &altered));
        }
        refused(way, &fetch_url("HEAD", &url));
    }

    let way = "4, a version";
    for name in names {
        refused(way, &analyst.s3(&format!("GET /{name}/people.csv?versionId={version}")));
    }

    let way = "5, the source of a copy";
    let copy = |line: &str, source: &str| analyst.send("s3", line, &[("x-amz-copy-source", source)], "");
    let upload = element(&analyst.expect(200, "POST /mine/stolen?uploads", "").text(), "UploadId");
    for source in [
        "data/people.csv".to_owned(),
        format!("data/people.csv?versionId={version}"),
        format!("{point}/people.csv"),
        format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/people.csv"),
    ] {
        refused(way, &copy("PUT /mine/stolen", &source));
        refused(way, &copy(&format!("PUT /mine/stolen?partNumber=1&uploadId={upload}"), &source));
    }
    for lens in lenses {
        let answer = copy("PUT /mine/stolen", &format!("{lens}/people.csv"));
        assert!((400..500).contains(&answer.status), "{way}: {} {}", answer.status, answer.text());
    }
    assert_eq!(analyst.s3("GET /mine/stolen").status, 404, "{way}");

    let way = "6, a part or a range";
    for name in ["data", point] {
        refused(way, &analyst.s3(&format!("GET /{name}/people.csv?partNumber=1")));
        refused(way, &analyst.send("s3", &format!("GET /{name}/people.csv"), &[("range", "bytes=0-99")], ""));
    }
    for lens in lenses {
        // A lens that does not offer them says so, whoever asks.
        let part = analyst.s3(&format!("GET /{lens}/people.csv?partNumber=1"));
        let range = analyst.send("s3", &format!("GET /{lens}/people.csv"), &[("range", "bytes=0-99")], "");
        assert_eq!((part.status, range.status), (501, 501), "{way}: {}", part.text());
    }

    let way = "7, a listing";
    for name in names {
        for query in ["", "?list-type=2", "?versions", "?uploads"] {
            refused(way, &analyst.s3(&format!("GET /{name}{query}")));
        }
    }

    let way = "8, HEAD and what else tells of an object";
    for name in names {
        refused(way, &analyst.s3(&format!("HEAD /{name}/people.csv")));
        refused(way, &analyst.s3(&format!("GET /{name}/people.csv?tagging")));
        refused(way, &analyst.s3(&format!("GET /{name}/people.csv?acl")));
        let attributes = [("x-amz-object-attributes", "ETag,ObjectSize,Checksum")];
        refused(way, &analyst.send("s3", &format!("GET /{name}/people.csv?attributes"), &attributes, ""));
    }
}

/// A GET by the host name of the access point, signed for that host.
fn by_its_host(story: &Story) -> Answer {
    let host = format!("ap1-{ACCOUNT}.localhost");
    let url = story.analyst.presign_url("GET", &format!("http://{host}/people.csv"));
    let url = url.replace(&host, &story.server.address.to_string());
    fetch(Request::builder().uri(url).header("host", host).body(Vec::new()).unwrap())
}

#[test]
fn way_9_the_function_called_by_hand_is_closed() {
    let story = Story::new();
    let event = json!({
        "xAmzRequestId": "made-up",
        "getObjectContext": {
            "inputS3Url": format!("http://{}/data/people.csv", story.server.address),
            "outputRoute": "olap", "outputToken": "A".repeat(59),
        },
        "configuration": { "payload": "{}" },
    });
    let invoke = |who: &Person, path: &str, kind: &str| {
        let headers = [("x-amz-invocation-type", kind)];
        who.send("lambda", &format!("POST {path}"), &headers, event.to_string().into_bytes())
    };
    for function in ["mask", "leak", "builtin-redact"] {
        for kind in ["RequestResponse", "Event", "DryRun"] {
            let path = format!("/2015-03-31/functions/{function}/invocations");
            refused(function, &invoke(&story.analyst, &path, kind));
        }
        let path = format!("/2021-11-15/functions/{function}/response-streaming-invocations");
        refused(function, &invoke(&story.analyst, &path, "RequestResponse"));
        let path = format!("/2014-11-13/functions/{function}/invoke-async");
        refused(function, &invoke(&story.analyst, &path, "Event"));
    }
    // Nobody calls it so to any purpose: what it reads by hand it reads without the permissions of a caller.
    let called = invoke(&story.root, "/2015-03-31/functions/mask/invocations", "RequestResponse");
    assert_eq!(
        (called.status, &called.headers["x-amz-function-error"]),
        (200, &"Unhandled".parse().unwrap())
    );
    assert!(
        called.text().contains("the input: ") && !called.text().contains("@example"),
        "{}",
        called.text()
    );
    // What it runs with, its code and its environment, are not the analyst's to see or change.
    for line in [
        "GET /2015-03-31/functions/mask",
        "PUT /2015-03-31/functions/mask/code",
        "PUT /2015-03-31/functions/mask/configuration",
        "POST /2015-03-31/functions/mask/policy",
    ] {
        refused(line, &story.analyst.send("lambda", line, &[], "{}"));
    }
    let preview = json!({ "bucket": "data", "key": "people.csv" }).to_string().into_bytes();
    let line = "POST /_refract/v1/functions/builtin-redact/preview";
    refused("preview", &story.analyst.send("s3", line, &[("content-type", "application/json")], preview));
}

/// An event that the function of the leaking lens has handed over, while that waits with its answer.
fn handed_over(story: &Story) -> Value {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(40) {
        let answer = story.root.s3("GET /handover/event");
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the function handed nothing over");
}

/// What somebody answers in the function's place.
fn write(who: &Person, token: &str) -> Answer {
    let headers = [("x-amz-request-route", "olap"), ("x-amz-request-token", token)];
    who.send("s3-object-lambda", "POST /WriteGetObjectResponse", &headers, "forged")
}

/// Runs `meanwhile` while the function of the leaking lens waits, with the event that it was given; answers that event,
/// when the analyst has read the lens.
fn while_it_waits(story: &Story, meanwhile: impl FnOnce(&Value)) -> Value {
    let (analyst, line) = (story.analyst.clone(), format!("GET /{}/people.csv", story.leaking));
    let reading = std::thread::spawn(move || analyst.s3(&line));
    let event = handed_over(story);
    meanwhile(&event);
    story.root.expect(200, "PUT /handover/go", "go");
    let read = reading.join().unwrap();
    assert_eq!(read.status, 200, "{}", read.text());
    assert!(masked(&read.text()), "{}", read.text());
    event
}

fn context<'e>(event: &'e Value, field: &str) -> &'e str {
    event.pointer(&format!("/getObjectContext/{field}")).and_then(Value::as_str).unwrap()
}

#[test]
fn way_10_an_output_token_is_worth_nothing_to_others_and_nothing_twice() {
    let story = Story::new();
    let event = while_it_waits(&story, |event| {
        let token = context(event, "outputToken");
        refused("10, a token that was not used yet", &write(&story.analyst, token));
        refused("10, by the auditor", &write(&story.auditor, token));
        // A forged one is refused to those, too, who may answer.
        let mut forged = token.to_owned();
        let last = forged.pop().unwrap();
        forged.push(if last == 'A' { 'E' } else { 'A' });
        for token in [forged.as_str(), "", "olap", token.get(..20).unwrap()] {
            let answer = write(&story.root, token);
            assert_eq!(answer.status, 400, "{token}: {}", answer.text());
            refused("10, a forged token", &write(&story.analyst, token));
        }
        // The role binds the function as well.
        assert_eq!(event["own"], json!({ "people": 403, "buckets": 403 }));
    });
    let token = context(&event, "outputToken");
    refused("10, after the fact", &write(&story.analyst, token));
    let again = write(&story.root, token);
    assert_eq!(again.status, 400, "{}", again.text());
    assert!(again.text().contains("ValidationError"), "{}", again.text());
}

#[test]
fn way_11_the_url_of_the_input_reads_one_object_by_one_method_while_the_invocation_lasts() {
    let story = Story::new();
    let event = while_it_waits(&story, |event| {
        let url = context(event, "inputS3Url");
        // It is alive, or the refusals below would show nothing.
        assert_eq!(fetch_url("GET", url).text(), PEOPLE);
        for altered in [
            url.replace("/people.csv?", "/other.csv?"),
            url.replace("/people.csv?", "/data/people.csv?"),
            url.replace("/people.csv?", "/?"),
            url.replace("/people.csv?", "/_refract/v1/keys?"),
            url.replace("accesspoint%2Fap1", "accesspoint%2Fap2"),
            format!("{url}&versionId={}", story.version),
            format!("{url}&acl"),
            url.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        ] {
            assert_ne!(altered, url);
            refused("11, altered", &fetch_url("GET", &altered));
        }
        for method in ["HEAD", "PUT", "DELETE", "POST"] {
            refused("11, another method", &fetch_url(method, url));
        }
        // And its key signs nothing else, for its secret is not in it; the analyst's own opens no other way by it.
        let id = url.split("X-Amz-Credential=").nth(1).unwrap().split('%').next().unwrap();
        let guess = Person::new(story.server.address, id, "guessed-secret-access-key-0000000000000000");
        refused("11, its key", &guess.s3("GET /data/people.csv"));
    });
    let url = context(&event, "inputS3Url");
    let began = Instant::now();
    // The function's process has answered and ends its invocation at once; the URL goes with it.
    loop {
        let answer = fetch_url("GET", url);
        if answer.status == 403 {
            refused("11, after the invocation", &answer);
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "the URL outlives its invocation");
        std::thread::sleep(Duration::from_millis(20));
    }
}
