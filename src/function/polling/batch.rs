//! Messages as the event of a function, in the shape of those of SQS (Lambda developer guide, "Using Lambda with Amazon
//! SQS"), and what the function says of them.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::notification::queue_reader::Line;

/// A message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id, the same whenever it is read.
    pub id: String,
    /// Its text.
    pub body: String,
    /// When it was read first.
    pub read: Timestamp,
}

impl Item {
    /// A message that was read just now.
    #[must_use]
    pub fn new(line: Line, now: Timestamp) -> Self {
        let place = format!("{}:{}", line.at.file, line.at.offset);
        let hex = HEXLOWER.encode(&Sha256::digest(place.as_bytes()));
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
        let id = format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32));
        Self { id, body: line.body, read: now }
    }

    /// What the function reads of it.
    #[must_use]
    pub fn record(&self, source_arn: &str, region: &str, attempts: u32) -> Value {
        let account = source_arn.split(':').nth(4).unwrap_or_default();
        json!({
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": (attempts + 1).to_string(),
                "SentTimestamp": self.read.as_millisecond().to_string(),
                "SenderId": account,
                "ApproximateFirstReceiveTimestamp": self.read.as_millisecond().to_string(),
            },
            "messageAttributes": {},
            "md5OfBody": HEXLOWER.encode(&Md5::digest(self.body.as_bytes())),
            "eventSource": "aws:sqs",
            "eventSourceARN": source_arn,
            "awsRegion": region,
        })
    }
}

/// The event.
#[must_use]
pub fn event(items: &[Item], source_arn: &str, region: &str, attempts: u32) -> Value {
    let records = items.iter().map(|item| item.record(source_arn, region, attempts));
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Which messages of a batch a function says have failed, by their ids; `None`: all, for what it says is not valid.
#[must_use]
pub fn failures(answer: &[u8], items: &[Item]) -> Option<Vec<String>> {
    let document = match serde_json::from_slice::<Value>(answer).ok()? {
        Value::Null => return Some(Vec::new()),
        Value::Object(document) => document,
        _ => return None,
    };
    let list = match document.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return None,
    };
    let mut failed = Vec::new();
    for entry in list {
        let id = entry.get("itemIdentifier").and_then(Value::as_str)?;
        if !items.iter().any(|item| item.id == id) {
            return None;
        }
        failed.push(id.to_owned());
    }
    Some(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::queue_reader::Position;

    fn items() -> Vec<Item> {
        let place = |offset| Position { file: "f".into(), offset };
        let line =
            |body: &str, offset| Line { body: body.into(), at: place(offset), next: place(offset + 2) };
        vec![Item::new(line("a", 0), Timestamp::UNIX_EPOCH), Item::new(line("b", 2), Timestamp::UNIX_EPOCH)]
    }

    #[test]
    fn an_event_is_that_of_a_queue() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:q";
        let event = event(&items(), arn, "us-east-1", 2);
        let first = &event["Records"][0];
        assert_eq!((first["body"].as_str(), first["eventSourceARN"].as_str()), (Some("a"), Some(arn)));
        assert_eq!(first["md5OfBody"], "0cc175b9c0f1b6a831c399e269772661");
        assert_eq!(first["attributes"]["ApproximateReceiveCount"], "3");
        assert_ne!(first["messageId"], event["Records"][1]["messageId"]);
        assert_eq!(items(), items(), "a message has the same id whenever it is read");
    }

    #[test]
    fn what_a_function_says_of_its_batch_is_read_as_aws_does() {
        let items = items();
        let said = |text: String| failures(text.as_bytes(), &items);
        for all_well in ["null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(said(all_well.to_owned()), Some(Vec::new()), "{all_well}");
        }
        let of = |id: &str| format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{id}"}}]}}"#);
        assert_eq!(said(of(&items[1].id)), Some(vec![items[1].id.clone()]));
        for nonsense in [of(""), of("of another batch"), "[]".into(), r#"{"batchItemFailures":[{}]}"#.into()]
        {
            assert_eq!(said(nonsense.clone()), None, "{nonsense}");
        }
    }
}
