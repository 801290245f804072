use heapsoak_record::{Arrivals, Event, Percentiles};
use serde::Serialize;

use crate::units::Count;
use crate::{Run, phrases};

/// How long answers took, as the recording has it; `report.json` has it in the same words.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct AnswerTimes {
    from_sent: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrivals: Option<Arrivals>,
}

impl AnswerTimes {
    /// None if no request was answered, or the recording is older than these figures.
    pub(crate) fn of(run: &Run<'_>) -> Option<AnswerTimes> {
        run.recording.events.iter().rev().find_map(|event| match event {
            Event::AnswerTimes { from_sent, arrivals, .. } => {
                Some(AnswerTimes { from_sent: *from_sent, arrivals: *arrivals })
            }
            _ => None,
        })
    }

    /// How long answers took from the moment their request was sent.
    pub(crate) fn sent(&self) -> String {
        within(&self.from_sent)
    }

    /// How long they took from the moment their request was due, and how the arrivals kept to their rate; none if they had
    /// none.
    pub(crate) fn due(&self) -> Option<String> {
        let arrivals = self.arrivals?;
        Some(format!(
            "{}, from when it was due; {} a second asked for, {} came, {} of {} more than 1 ms late",
            within(&arrivals.from_due),
            rate(arrivals.asked_per_1000_s),
            rate(arrivals.came_per_1000_s),
            Count(arrivals.late as f64),
            phrases::amount(arrivals.count, heapsoak_record::Unit::Count),
        ))
    }
}

fn within(times: &Percentiles) -> String {
    let [median, most, worst] = [times.p50_us, times.p99_us, times.max_us].map(millis);
    format!("median {median}, 99 % within {most}, all within {worst}")
}

/// Two digits behind the point below 10 ms, none above.
fn millis(micros: u64) -> String {
    let millis = micros as f64 / 1000.0;
    if millis < 10.0 { format!("{millis:.2} ms") } else { format!("{} ms", Count(millis.round())) }
}

fn rate(per_1000_s: u64) -> String {
    Count((per_1000_s as f64 / 100.0).round() / 10.0).to_string()
}
