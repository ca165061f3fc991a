//! The run's clock: the only module that reads the calendar, and the only one that sleeps.
//! (`sys::machine` captures all clocks of the machine, as evidence.)
//!
//! Other modules use `Instant` and `tokio::time` only to measure how long something took, and to
//! limit how long they wait for something.

use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::jiff::Timestamp;

/// Monotonic time since a run began, with the calendar time of the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    calendar: SystemTime,
}

impl Clock {
    /// Starts a clock.
    #[expect(clippy::disallowed_methods, reason = "this is the run's clock")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), calendar: SystemTime::now() }
    }

    /// Time since the run began.
    pub(crate) fn elapsed(self) -> Duration {
        self.began.elapsed()
    }

    /// Calendar time now, in RFC 3339 with seconds. It is the calendar time of the start plus the
    /// monotonic time since, so that it never goes back.
    pub(crate) fn calendar(self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Calendar time of the start, in RFC 3339 with milliseconds. Records have the time since then.
    pub(crate) fn started(self) -> String {
        let started = Timestamp::try_from(self.calendar);
        let started = started.expect("a computer's calendar fits into a timestamp");
        started.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Calendar date now as a number, such as 20260131.
    pub(crate) fn date(self) -> u64 {
        let date = self.now().strftime("%Y%m%d").to_string();
        date.parse().expect("a date is eight digits")
    }

    fn now(self) -> Timestamp {
        Timestamp::try_from(self.calendar + self.elapsed())
            .expect("a computer's calendar fits into a timestamp")
    }

    /// Calendar time now, as seconds and nanoseconds since 1970: `SECONDS.NANOSECONDS`.
    pub(crate) fn unix_time(self) -> String {
        let since = (self.calendar + self.elapsed()).duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
    }
}

/// How long ago a file was written; `None` if its time is in the future. File systems use the
/// calendar, so this cannot be computed from a monotonic clock.
#[expect(clippy::disallowed_methods, reason = "this is the only place that reads the calendar")]
pub(crate) fn file_age(written: SystemTime) -> Option<Duration> {
    SystemTime::now().duration_since(written).ok()
}

/// Waits for `future`, and calls `act` each time that another `period` has passed before.
pub(crate) async fn meanwhile<T>(
    future: impl Future<Output = T>,
    period: Duration,
    mut act: impl FnMut(),
) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        match tokio::time::timeout(period, &mut future).await {
            Ok(value) => return value,
            Err(_) => act(),
        }
    }
}

/// Sleeps between two looks at something that cannot notify, and before a connection is tried
/// again.
#[expect(clippy::disallowed_methods, reason = "this is the only place that may sleep")]
pub(crate) async fn pause(between: Duration) {
    tokio::time::sleep(between).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first record is written some time after the start of the clock.
    #[test]
    fn a_history_began_when_its_clock_was_started() {
        let calendar = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        let began = Clock::start().began - Duration::from_secs(5);
        let clock = Clock { began, calendar };
        assert_eq!(clock.started(), "1970-01-01T00:00:01.500Z");
        assert!(clock.elapsed() >= Duration::from_secs(5));
    }
}
