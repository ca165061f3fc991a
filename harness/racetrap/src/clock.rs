//! The run's clock: the only place that reads time, and the only one that may let it pass.

use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::jiff::Timestamp;

/// Monotonic time since a run began, and its place on the calendar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    calendar: SystemTime,
}

impl Clock {
    /// Starts the clock.
    #[expect(clippy::disallowed_methods, reason = "this is the run's clock")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), calendar: SystemTime::now() }
    }

    /// Time since the run began.
    pub(crate) fn elapsed(self) -> Duration {
        self.began.elapsed()
    }

    /// Calendar time now, by the calendar at the start and monotonic time since; RFC 3339, seconds.
    pub(crate) fn calendar(self) -> String {
        let now = Timestamp::try_from(self.calendar + self.elapsed());
        now.map(|now| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .expect("a computer's calendar fits into a timestamp")
    }
    /// Calendar time now, as seconds and nanoseconds since 1970: `SECONDS.NANOSECONDS`.
    pub(crate) fn unix_time(self) -> String {
        let since = (self.calendar + self.elapsed()).duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
    }
}

/// Lets a short time pass between two looks at something that cannot notify; see `wait::polled`.
#[expect(clippy::disallowed_methods, reason = "the one place where time may pass")]
pub(crate) async fn pause(between: Duration) {
    tokio::time::sleep(between).await;
}
