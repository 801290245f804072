use heapsoak_record::Event;
use serde::Serialize;

use crate::Run;
use crate::units::Bytes;

/// The verdict on the tool's own heap, as `report.json` has it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OwnHeap<'a> {
    verdict: &'a str,
    live_bytes: u64,
    growth_bytes_per_1000_requests: Bounds,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Bounds {
    estimate: i64,
    low: i64,
    high: i64,
}

impl<'a> OwnHeap<'a> {
    /// None where nobody looked at it.
    pub(crate) fn of(run: &Run<'a>) -> Option<OwnHeap<'a>> {
        run.recording.events.iter().rev().find_map(|event| match event {
            Event::OwnHeap { verdict, live_bytes, bytes_per_1000_requests, low, high, .. } => Some(OwnHeap {
                verdict,
                live_bytes: *live_bytes,
                growth_bytes_per_1000_requests: Bounds {
                    estimate: *bytes_per_1000_requests,
                    low: *low,
                    high: *high,
                },
            }),
            _ => None,
        })
    }

    /// In a few words.
    pub(crate) fn summary(&self) -> String {
        let live = Bytes(self.live_bytes as f64);
        if !self.grows() {
            return format!("{}, {live} at the end", self.verdict);
        }
        let Bounds { estimate, low, high } = self.growth_bytes_per_1000_requests;
        let [estimate, low, high] = [estimate, low, high].map(|bytes| Bytes(bytes as f64));
        format!("grew by {estimate} per 1,000 requests ({low} to {high}), {live} at the end")
    }

    /// Whether the tool itself leaks.
    pub(crate) fn grows(&self) -> bool {
        self.verdict == "leak"
    }
}
