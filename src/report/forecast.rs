use crate::Run;
use crate::units::{Bytes, Count, Seconds};

/// Memory limit assumed when the target's is unknown.
pub const ASSUMED_LIMIT_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// When the server will run out of memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The limit.
    pub limit_bytes: u64,
    /// Whether the limit is [`ASSUMED_LIMIT_BYTES`] for want of a known one.
    pub assumed: bool,
    /// Resident bytes at the end of the run.
    pub resident_bytes: u64,
    /// Requests per second, as measured.
    pub requests_per_second: f64,
    /// Requests until the limit is reached; none when nothing leaks.
    pub requests: Option<f64>,
    /// Seconds until the limit is reached at the measured rate; none when nothing leaks.
    pub seconds: Option<f64>,
}

impl Forecast {
    /// The forecast of a run.
    #[must_use]
    pub fn of(run: &Run<'_>) -> Forecast {
        let inputs = &run.judgement.out_of_memory;
        let known = inputs.limit_bytes.or(run.recording.header.target.memory_limit_bytes);
        let limit_bytes = known.unwrap_or(ASSUMED_LIMIT_BYTES);
        Forecast {
            limit_bytes,
            assumed: known.is_none(),
            resident_bytes: inputs.resident_bytes,
            requests_per_second: inputs.requests_per_second,
            requests: inputs.requests_until(limit_bytes).filter(|requests| requests.is_finite()),
            seconds: inputs.seconds_until(limit_bytes).filter(|seconds| seconds.is_finite()),
        }
    }

    /// The limit in words, and whether it is known.
    #[must_use]
    pub fn limit(&self) -> String {
        let limit = Bytes(self.limit_bytes as f64);
        if self.assumed {
            format!("an assumed limit of {limit} (the target's own is unknown)")
        } else {
            format!("the target's limit of {limit}")
        }
    }

    /// The forecast as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Some(requests) = self.requests else {
            return format!("Nothing was found that would reach {}.", self.limit());
        };
        let resident = Bytes(self.resident_bytes as f64);
        let after = match self.seconds {
            Some(seconds) => format!(
                "{} at the {} requests per second of this run (about {} more requests)",
                Seconds(seconds),
                Count(self.requests_per_second.round()),
                Count(requests).rounded()
            ),
            None => format!("about {} more requests", Count(requests).rounded()),
        };
        format!("From {resident} resident at the end of the run, {} is reached after {after}.", self.limit())
    }
}
