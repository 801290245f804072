use serde::Serialize;

use super::{ClaimJudgement, ComponentJudgement, ComponentVerdict, Finding, Growth, ResourceJudgement};

/// The judgement of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The one answer.
    pub verdict: RunVerdict,
    /// Why, in sentences; for a leak, one per leaking component or resource.
    pub reasons: Vec<String>,
    /// Requests of the run, all kinds together.
    pub requests: Requests,
    /// Whether the run's data can carry a verdict.
    pub quality: Quality,
    /// One entry per component that ever allocated, without `heapsoak` itself; by name.
    pub components: Vec<ComponentJudgement>,
    /// One entry per resource, in the order of the recording.
    pub resources: Vec<ResourceJudgement>,
    /// What to act on, worst first.
    pub findings: Vec<Finding>,
    /// What all leaking components together will have kept after 10,000 requests with the run's mix of kinds.
    pub combined_impact_at_10000_requests_bytes: f64,
    /// What the time to out-of-memory is computed from.
    pub out_of_memory: OutOfMemory,
    /// What was claimed, beside what was measured; empty when the recording has no claims.
    pub claims: Vec<ClaimJudgement>,
    /// How many more requests would probably decide an inconclusive run; none when it is decided.
    pub wanted_requests: Option<u64>,
    /// What this run can't say, in sentences.
    pub not_analysed: Vec<String>,
}

impl Judgement {
    /// The judgement of a component.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&ComponentJudgement> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The judgement of a resource.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&ResourceJudgement> {
        self.resources.iter().find(|resource| resource.name == name)
    }
}

/// The one answer about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Something grows and does not stop.
    Leak,
    /// Nothing does, down to the detection limits stated.
    Clean,
    /// The run was too short to tell.
    Inconclusive,
    /// The run's data can't carry a verdict: it ended early, requests failed, snapshots were disturbed.
    Invalid,
}

impl RunVerdict {
    /// The word of the published contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            RunVerdict::Leak => "leak",
            RunVerdict::Clean => "clean",
            RunVerdict::Inconclusive => "inconclusive",
            RunVerdict::Invalid => "invalid",
        }
    }
}

/// Requests of a run by their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Requests {
    /// Requests sent.
    pub sent: u64,
    /// Answered with success.
    pub ok: u64,
    /// Answered with an error that the kind expects.
    pub expected_errors: u64,
    /// Not answered as the kind expects.
    pub failed: u64,
}

/// The positive control: a leak that the probe planted on purpose, and what the verdict made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// What was planted.
    pub planted_bytes_per_1000_requests: f64,
    /// What was found.
    pub growth_bytes_per_1000_requests: Growth,
    /// The verdict on it; anything but a leak is wrong.
    pub verdict: ComponentVerdict,
    /// Why it counts as missed, in a sentence; none when it was found, or the run is too short to find anything.
    pub missed: Option<String>,
}

/// Whether a run's data can carry a verdict.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Quality {
    /// Cycles with a snapshot at their end.
    pub cycles: u32,
    /// Snapshots taken, the baseline included.
    pub snapshots: u32,
    /// Snapshots before which the server did not come to rest.
    pub not_quiet: u32,
    /// Share of the requests that were answered as their kind expects, 0 to 1.
    pub landed: f64,
    /// Quiet snapshots whose contexts do not add up to the total.
    pub unbalanced: u32,
    /// Requests after which warm-up was over, as measured.
    pub warm_up_requests: u64,
    /// The positive control; none when the run planted none, so that nothing shows it would have found a leak.
    pub control: Option<Control>,
    /// Why the run is invalid, in sentences; empty when it is not.
    pub failures: Vec<String>,
}

/// What the time to out-of-memory is computed from.
///
/// `seconds = (limit_bytes - resident_bytes) / (growth_per_1000_requests / 1000 * requests_per_second)`
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct OutOfMemory {
    /// Growth of all leaking components together, bytes per 1,000 requests of the run.
    pub growth_bytes_per_1000_requests: Growth,
    /// Requests per second of real time, as measured.
    pub requests_per_second: f64,
    /// Resident bytes at the end; live heap bytes when the system's figure is missing.
    pub resident_bytes: u64,
    /// Memory limit of the target's cgroup; none when unlimited or unknown.
    pub limit_bytes: Option<u64>,
}

impl OutOfMemory {
    /// Requests until a limit is reached at the estimated growth; none when nothing leaks.
    #[must_use]
    pub fn requests_until(&self, limit_bytes: u64) -> Option<f64> {
        let growth = self.growth_bytes_per_1000_requests.estimate;
        (growth > 0.0).then(|| {
            let room = limit_bytes.saturating_sub(self.resident_bytes);
            #[expect(clippy::cast_precision_loss, reason = "sizes of memory are far below 2^52 bytes")]
            let room = room as f64;
            room / growth * 1000.0
        })
    }

    /// Seconds until a limit is reached at the measured rate; none when nothing leaks.
    #[must_use]
    pub fn seconds_until(&self, limit_bytes: u64) -> Option<f64> {
        (self.requests_per_second > 0.0)
            .then(|| self.requests_until(limit_bytes))
            .flatten()
            .map(|requests| requests / self.requests_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_a_limit_is_that_of_the_room_that_is_left() {
        let growth = Growth { estimate: 500.0, low: 400.0, high: 600.0 };
        let memory = OutOfMemory {
            growth_bytes_per_1000_requests: growth,
            requests_per_second: 10.0,
            resident_bytes: 1000,
            limit_bytes: None,
        };
        // 5,000 bytes at half a byte a request.
        assert_eq!((memory.requests_until(6000), memory.seconds_until(6000)), (Some(10_000.0), Some(1000.0)));
        assert_eq!(memory.requests_until(900), Some(0.0));
        let stopped = OutOfMemory { requests_per_second: 0.0, ..memory };
        assert_eq!(stopped.seconds_until(6000), None);
        let still = OutOfMemory { growth_bytes_per_1000_requests: Growth::default(), ..memory };
        assert_eq!((still.requests_until(6000), still.seconds_until(6000)), (None, None));
    }
}
