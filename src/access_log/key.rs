//! The key of a delivered log.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::bucket::logging::{DateSource, KeyFormat, Logging};

/// What a key tells of where its lines come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) bucket: &'a str,
}

/// Midnight of the day of a moment.
pub(super) fn day(moment: Timestamp) -> Timestamp {
    let seconds = moment.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(86_400)).unwrap_or(moment)
}

/// The key. `event` is when the first of its requests came.
pub(super) fn name(
    logging: &Logging,
    origin: Origin<'_>,
    event: Timestamp,
    delivery: Timestamp,
    unique: u64,
) -> String {
    let (partitioned, date) = match logging.key_format {
        None | Some(KeyFormat::Simple) => (false, delivery),
        Some(KeyFormat::Partitioned(DateSource::DeliveryTime)) => (true, delivery),
        Some(KeyFormat::Partitioned(DateSource::EventTime)) => (true, day(event)),
    };
    let date = date.to_zoned_datetime(TimeZone::UTC);
    let stamp = date.strftime("%Y-%m-%d-%H-%M-%S");
    let prefix = &logging.prefix;
    if partitioned {
        let Origin { account, region, bucket } = origin;
        let folders = date.strftime("%Y/%m/%d");
        format!("{prefix}{account}/{region}/{bucket}/{folders}/{stamp}-{unique:016X}")
    } else {
        format!("{prefix}{stamp}-{unique:016X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_formats_of_the_user_guide() {
        let origin = Origin { account: "111122223333", region: "us-east-1", bucket: "b" };
        let (event, delivery) =
            ("2026-11-24T23:59:59Z".parse().unwrap(), "2026-11-25T00:04:05.6Z".parse().unwrap());
        let key = |key_format| {
            let logging = Logging {
                target: "logs".into(),
                prefix: "p/".into(),
                key_format,
                grants: Vec::new(),
                changed: Timestamp::UNIX_EPOCH,
            };
            name(&logging, origin, event, delivery, 0xAB)
        };
        let simple = "p/2026-11-25-00-04-05-00000000000000AB";
        assert_eq!((key(None).as_str(), key(Some(KeyFormat::Simple)).as_str()), (simple, simple));
        assert_eq!(
            key(Some(KeyFormat::Partitioned(DateSource::DeliveryTime))),
            "p/111122223333/us-east-1/b/2026/11/25/2026-11-25-00-04-05-00000000000000AB"
        );
        assert_eq!(
            key(Some(KeyFormat::Partitioned(DateSource::EventTime))),
            "p/111122223333/us-east-1/b/2026/11/24/2026-11-24-00-00-00-00000000000000AB"
        );
    }
}
