//! When a number of days is over.

use jiff::{SignedDuration, Timestamp};

/// Seconds of a day.
pub const DAY: u32 = 86_400;

/// How days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// Seconds of a day: 86,400, or less for tests.
    pub seconds: u32,
}

impl Default for Days {
    fn default() -> Self {
        Self { seconds: DAY }
    }
}

impl Days {
    /// When `days` after `from` are over. Real days end at the next midnight UTC (S3 user guide, "Lifecycle rules:
    /// Based on an object's age"); short ones to the moment.
    #[must_use]
    pub fn after(self, from: Timestamp, days: u32) -> Timestamp {
        let passed = SignedDuration::from_secs(i64::from(days) * i64::from(self.seconds));
        let Ok(over) = from.saturating_add(passed) else { return Timestamp::MAX };
        if self.seconds == DAY { next_midnight(over) } else { over }
    }
}

/// The first midnight UTC after a moment.
fn next_midnight(time: Timestamp) -> Timestamp {
    let day = i64::from(DAY);
    let start = time.as_second().div_euclid(day).saturating_add(1).saturating_mul(day);
    Timestamp::from_second(start).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_days_end_at_midnight_and_short_ones_to_the_moment() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let written = at("2014-01-15T10:30:00Z");
        // The user guide's own example.
        assert_eq!(Days::default().after(written, 3), at("2014-01-19T00:00:00Z"));
        assert_eq!(Days { seconds: 3 }.after(written, 3), at("2014-01-15T10:30:09Z"));
        assert_eq!(Days::default().after(Timestamp::MAX, u32::MAX), Timestamp::MAX);
        assert_eq!(Days::default().after(at("1969-12-31T12:00:00Z"), 0), at("1970-01-01T00:00:00Z"));
    }
}
