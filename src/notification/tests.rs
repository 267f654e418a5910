//! From what happened to the consumer: recorded, kept across a restart, delivered again where it was not taken.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::webhook::Webhook;
use super::*;
use crate::bucket::notification::{DestinationKind, Notification, NotificationRule};
use crate::bucket::{BucketConfig, Versioning};
use crate::clock::SystemClock;
use crate::store::memory::MemoryStore;
use crate::store::{Bucket, NewBucket, Store, VersionRef};
use crate::telemetry::Metrics;

const ACCOUNT: &str = "000000000000";

/// Takes what its answers say, and keeps it.
#[derive(Debug, Default)]
struct Recorder {
    taken: Mutex<Vec<String>>,
    failures: Mutex<Vec<Failure>>,
}

#[async_trait]
impl Consumer for Recorder {
    fn batch(&self) -> usize {
        2
    }

    async fn deliver(&self, messages: &[Message]) -> Result<(), Failure> {
        if let Some(failure) = self.failures.lock().unwrap().pop() {
            return Err(failure);
        }
        self.taken.lock().unwrap().extend(messages.iter().map(|message| message.body.to_string()));
        Ok(())
    }
}

struct World {
    store: Arc<MemoryStore>,
    bucket: Arc<Bucket>,
    recorder: Arc<Recorder>,
}

impl World {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let rule = NotificationRule {
            id: "r".into(),
            kind: DestinationKind::Queue,
            arn: format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
            events: vec!["s3:ObjectCreated:*".into(), "s3:ObjectRemoved:*".into()],
            prefix: Some("in/".into()),
            suffix: None,
        };
        let notification = Some(Notification { rules: vec![rule] });
        let new = NewBucket {
            name: "b".into(),
            region: "us-east-1".into(),
            owner: ACCOUNT.into(),
            config: BucketConfig { notification, versioning: Versioning::Enabled, ..BucketConfig::default() },
        };
        let bucket = store.create_bucket(new).await.unwrap();
        Self { store, bucket, recorder: Arc::default() }
    }

    fn open(&self) -> (Notifier, Worker) {
        let outbox = Arc::new(Outbox::open(Arc::clone(&self.store) as _, Timestamp::now()).unwrap());
        let mut consumers = Consumers::new(&Options::default(), "q".as_ref(), "us-east-1", ACCOUNT);
        consumers.add("target:q", Arc::clone(&self.recorder) as _);
        let consumers = Arc::new(consumers);
        let (clock, metrics) = (Arc::new(SystemClock), Arc::new(Metrics::default()));
        let notifier =
            Notifier::new(Arc::clone(&outbox), Arc::clone(&consumers), clock.clone(), Arc::clone(&metrics));
        (notifier, Worker::new(outbox, consumers, clock, metrics).hasty())
    }

    async fn tell(&self, notifier: &Notifier, keys: &[&str]) {
        let now = Timestamp::now();
        let happened: Vec<_> =
            keys.iter().map(|key| Happened::removed(Event::Delete, key, now, None)).collect();
        notifier.tell(&self.bucket, &Cause::default(), &happened).await.unwrap();
    }

    /// The keys that the consumer was told of, once they are so many.
    async fn keys(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let taken = self.recorder.taken.lock().unwrap().clone();
            if taken.len() >= count {
                let key = |body: &String| {
                    let body: Value = serde_json::from_str(body).unwrap();
                    body["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned()
                };
                return taken.iter().map(key).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("after five seconds still not {count} messages");
    }
}

#[tokio::test]
async fn messages_survive_a_restart_and_come_in_order() {
    let world = World::new().await;
    let (notifier, _) = world.open();
    world.tell(&notifier, &["in/1", "out/1", "in/2"]).await;
    world.tell(&notifier, &["in/3"]).await;
    drop(notifier);
    let (notifier, worker) = world.open();
    world.tell(&notifier, &["in/4"]).await;
    *world.recorder.failures.lock().unwrap() = vec![Failure { reason: "down".into(), refused: false }; 8];
    let running = tokio::spawn(worker.run());
    assert_eq!(world.keys(4).await, ["in/1", "in/2", "in/3", "in/4"]);
    world.tell(&notifier, &["in/5"]).await;
    assert_eq!(world.keys(5).await.last().unwrap(), "in/5");
    // The last is forgotten a moment after it was taken.
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.abort();
    let running = tokio::spawn(world.open().1.run());
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.abort();
    assert_eq!(world.keys(5).await.len(), 5, "delivered messages came again");
}

#[tokio::test]
async fn a_message_that_is_refused_does_not_hold_up_the_others_for_ever() {
    let world = World::new().await;
    let (notifier, worker) = world.open();
    world.tell(&notifier, &["in/1", "in/2"]).await;
    *world.recorder.failures.lock().unwrap() = vec![Failure { reason: "no".into(), refused: true }; 5];
    let running = tokio::spawn(worker.run());
    assert_eq!(world.keys(1).await, ["in/2"]);
    running.abort();
}

#[tokio::test]
async fn messages_have_the_form_of_aws() {
    let world = World::new().await;
    let time: Timestamp = "2026-11-25T01:02:03.456789Z".parse().unwrap();
    let happened = Happened {
        event: Event::CompleteMultipartUpload,
        key: "in/a b+ü.jpg".into(),
        time,
        version: None,
        object: Some((7, "e-2".into())),
    };
    let cause = Cause {
        request_id: "R1".into(),
        source_ip: Some("10.0.0.1".parse().unwrap()),
        principal_id: Some("P".into()),
    };
    let message = event::message(&world.bucket, "r", &cause, &happened, 0x1_0002);
    let owner = crate::catalog::canonical_id(ACCOUNT);
    let micros = u64::try_from(time.as_microsecond()).unwrap();
    assert_eq!(
        message,
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-25T01:02:03.456Z", "eventName": "ObjectCreated:CompleteMultipartUpload",
            "userIdentity": { "principalId": "P" },
            "requestParameters": { "sourceIPAddress": "10.0.0.1" },
            "responseElements": { "x-amz-request-id": "R1", "x-amz-id-2": "R1" },
            "s3": { "s3SchemaVersion": "1.0", "configurationId": "r",
                "bucket": { "name": "b", "ownerIdentity": { "principalId": owner }, "arn": "arn:aws:s3:::b" },
                "object": { "key": "in/a+b%2B%C3%BC.jpg", "size": 7, "eTag": "e-2",
                    "sequencer": format!("{micros:016X}0002") } },
        }]})
    );
}

#[test]
fn a_delete_is_what_it_did() {
    let now = Timestamp::now();
    let event = |wanted, there, marker, by_rule| {
        let done = crate::store::Deleted { there, marker, version: None };
        Happened::by_delete("k", wanted, &done, now, by_rule).map(|happened| happened.event)
    };
    assert_eq!(event(VersionRef::Current, true, false, false), Some(Event::Delete));
    assert_eq!(event(VersionRef::Current, false, false, false), None);
    assert_eq!(event(VersionRef::Current, false, true, false), Some(Event::DeleteMarkerCreated));
    assert_eq!(event(VersionRef::Null, true, true, false), Some(Event::Delete));
    assert_eq!(event(VersionRef::Current, true, true, true), Some(Event::ExpirationMarkerCreated));
    assert_eq!(event(VersionRef::Null, true, false, true), Some(Event::ExpirationDelete));
}

/// A server of one connection after the other, which answers so; what it was sent comes back.
fn answering(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for answer in answers {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).unwrap() > 2 {
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            bodies.push(String::from_utf8(body).unwrap());
            write!(stream.get_mut(), "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
        bodies
    });
    (url, serving)
}

#[tokio::test]
async fn a_webhook_is_told_by_post_and_leads_nowhere_else() {
    let redirect = "307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/";
    let (url, serving) =
        answering(vec!["204 No Content", redirect, "503 Service Unavailable", "400 Bad Request"]);
    let message = [Message { number: 1, body: "{\"a\":1}".into() }];
    let hook = Webhook::new(&url, true);
    hook.deliver(&message).await.unwrap();
    let refused = |result: Result<(), Failure>| result.unwrap_err().refused;
    assert!(refused(hook.deliver(&message).await), "a redirect");
    assert!(!refused(hook.deliver(&message).await), "a failure of the other end");
    assert!(refused(hook.deliver(&message).await), "a refusal");
    assert_eq!(serving.join().unwrap(), vec!["{\"a\":1}"; 4]);
}

#[tokio::test]
async fn a_webhook_at_a_private_address_is_refused_by_address_and_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let hook = Webhook::new(&format!("http://{host}:{port}/"), false);
        let failure = hook.deliver(&[Message { number: 1, body: "x".into() }]).await.unwrap_err();
        assert!(failure.reason.contains("private"), "{host}: {}", failure.reason);
    }
    assert!(listener.accept().is_err(), "a connection was made");
}

#[test]
fn destinations_are_named_by_arns_of_this_server() {
    let target = Target { name: "q".into(), kind: TargetKind::QueueFile };
    let options = Options { targets: vec![target], private_addresses: false };
    let consumers = Consumers::new(&options, "q".as_ref(), "us-east-1", ACCOUNT);
    for service in ["sqs", "sns"] {
        assert_eq!(consumers.key(&format!("arn:aws:{service}:us-east-1:{ACCOUNT}:q")).unwrap(), "target:q");
    }
    for arn in [
        "arn:aws:sqs:us-east-1:000000000000:p",
        "arn:aws:sqs:eu-west-1:000000000000:q",
        "arn:aws:lambda:us-east-1:000000000000:function:q",
        "q",
    ] {
        assert_eq!(consumers.key(arn), None, "{arn}");
    }
}
