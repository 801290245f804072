//! What a run did phase by phase, from what its recorder noted.

use heapsoak_record::{Event, Recording};
use serde::Serialize;

use crate::units::{Count, Seconds};

/// A phase of a run, over all cycles it was part of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PhaseSummary<'a> {
    name: &'a str,
    /// Whether it came once, before the first cycle.
    before_the_cycles: bool,
    /// Cycles it was part of.
    times: u64,
    /// Requests answered in all of them.
    requests: u64,
    /// Requests in flight at once; 0 in an idle phase.
    connections: u32,
    /// Real time of all of them, in milliseconds.
    took_ms: u64,
}

impl PhaseSummary<'_> {
    /// The phases of a recording in the order in which they first came.
    pub(crate) fn list(recording: &Recording) -> Vec<PhaseSummary<'_>> {
        let mut phases: Vec<PhaseSummary<'_>> = Vec::new();
        for event in &recording.events {
            let Event::PhaseDone { cycle, phase, requests, connections, took_ms } = event else { continue };
            let before = *cycle == 0;
            let known =
                phases.iter_mut().find(|known| known.name == phase && known.before_the_cycles == before);
            match known {
                Some(known) => {
                    known.times += 1;
                    known.requests += requests;
                    known.connections = known.connections.max(*connections);
                    known.took_ms += took_ms;
                }
                None => phases.push(PhaseSummary {
                    name: phase,
                    before_the_cycles: before,
                    times: 1,
                    requests: *requests,
                    connections: *connections,
                    took_ms: *took_ms,
                }),
            }
        }
        phases
    }

    /// In a sentence, without its end.
    pub(crate) fn sentence(&self) -> String {
        let name = self.name;
        let each = |sum: u64| Count(sum as f64 / self.times.max(1) as f64).rounded().to_string();
        let lasted = Seconds(self.took_ms as f64 / self.times.max(1) as f64 / 1000.0);
        let what = if self.connections == 0 {
            format!("idle for {lasted}")
        } else {
            let rate = self.requests as f64 / (self.took_ms as f64 / 1000.0).max(0.001);
            format!(
                "{} requests, {} at once, in {lasted}: {} a second",
                each(self.requests),
                self.connections,
                Count(rate).rounded()
            )
        };
        match (self.before_the_cycles, self.times) {
            (true, _) => format!("{name}, once before the first cycle and not judged: {what}"),
            (false, 1) => format!("{name}, in one cycle: {what}"),
            (false, times) => format!("{name}, in each of {times} cycles: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_record::{FORMAT_VERSION, Header, Plan, Target};

    use super::*;

    fn recording(events: Vec<Event>) -> Recording {
        let plan = Plan { cycles: 2, max_cycles: 2, requests_per_cycle: 100, concurrency: 4 };
        let target = Target {
            name: String::new(),
            command: Vec::new(),
            pid: 1,
            as_found: Vec::new(),
            memory_limit_bytes: None,
        };
        let mut recording = Recording::new(Header {
            format_version: FORMAT_VERSION,
            tool_version: String::new(),
            started_unix_ms: 0,
            scenario: String::new(),
            description: String::new(),
            scenario_source: String::new(),
            seed: 1,
            target,
            plan,
            kinds: Vec::new(),
            claims: Vec::new(),
            not_analysed: Vec::new(),
        });
        recording.events = events;
        recording
    }

    fn done(cycle: u32, phase: &str, requests: u64, connections: u32, took_ms: u64) -> Event {
        Event::PhaseDone { cycle, phase: phase.to_owned(), requests, connections, took_ms }
    }

    #[test]
    fn a_phase_is_told_once_with_what_it_did_in_each_cycle() {
        let recording = recording(vec![
            done(0, "ramp", 200, 4, 4_000),
            done(1, "burst", 100, 64, 100),
            done(1, "idle", 0, 0, 2_000),
            done(2, "burst", 100, 64, 300),
            done(2, "idle", 0, 0, 2_000),
        ]);
        let said: Vec<String> = PhaseSummary::list(&recording).iter().map(PhaseSummary::sentence).collect();
        assert_eq!(
            said,
            [
                "ramp, once before the first cycle and not judged: 200 requests, 4 at once, in 4 s: 50 a second",
                "burst, in each of 2 cycles: 100 requests, 64 at once, in 200 ms: 500 a second",
                "idle, in each of 2 cycles: idle for 2 s",
            ]
        );
    }
}
