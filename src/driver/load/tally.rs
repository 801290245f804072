use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use heapsoak_record::{Arrivals, Event, KindCount, Percentiles, Snapshot};

use super::check::{Checked, check};
use super::http1::Answer;
use crate::scenario::{Answers, Scenario};

/// Failed requests of each kind that are recorded as events; later ones are counted.
const RECORDED_FAILURES: u64 = 3;

/// Longest latency told apart: one minute, in microseconds.
const LONGEST_LATENCY_US: u64 = 60_000_000;

/// An arrival sent this much after its time is late.
const LATE: Duration = Duration::from_millis(1);

/// When a request was sent, and when it was to be sent if it has a time of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) sent: Instant,
    pub(super) due: Option<Instant>,
}

/// Counts what became of the requests.
#[derive(Debug)]
pub(crate) struct Tally {
    kinds: Vec<KindTally>,
    answered: AtomicU64,
    rest: Mutex<Noted>,
}

#[derive(Debug)]
struct KindTally {
    name: String,
    holds: Option<String>,
    sent: AtomicU64,
    ok: AtomicU64,
    expected_errors: AtomicU64,
    failed: AtomicU64,
}

/// What is noted seldom enough for a lock.
#[derive(Debug)]
struct Noted {
    latency_us: Histogram<u64>,
    arrived: Option<Arrived>,
    failures: Vec<Event>,
    held: BTreeMap<String, u64>,
}

/// What is noted of requests that begin at a rate.
#[derive(Debug)]
struct Arrived {
    latency_us: Histogram<u64>,
    count: u64,
    late: u64,
    /// How long they were due, all together, and how long they took.
    due: Duration,
    took: Duration,
}

impl Tally {
    pub(crate) fn new(scenario: &Scenario) -> Tally {
        let kind = |kind: &crate::Kind| KindTally {
            name: kind.name.clone(),
            holds: kind.flow.holds.clone(),
            sent: AtomicU64::new(0),
            ok: AtomicU64::new(0),
            expected_errors: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST_LATENCY_US, 3).expect("the bounds are constant and valid")
        };
        let arrived = scenario.has_rates().then(|| Arrived {
            latency_us: histogram(),
            count: 0,
            late: 0,
            due: Duration::ZERO,
            took: Duration::ZERO,
        });
        let noted = Noted { latency_us: histogram(), arrived, failures: Vec::new(), held: BTreeMap::new() };
        Tally {
            kinds: scenario.kinds.iter().map(kind).collect(),
            answered: AtomicU64::new(0),
            rest: Mutex::new(noted),
        }
    }

    /// Goes on with the counts of a run that broke off.
    pub(crate) fn resume(scenario: &Scenario, last: &Snapshot) -> Tally {
        let tally = Tally::new(scenario);
        for (kind, count) in tally.kinds.iter().zip(&last.kinds) {
            kind.sent.store(count.sent, Ordering::Relaxed);
            kind.ok.store(count.ok, Ordering::Relaxed);
            kind.expected_errors.store(count.expected_errors, Ordering::Relaxed);
            kind.failed.store(count.failed, Ordering::Relaxed);
        }
        tally.answered.store(last.requests, Ordering::Relaxed);
        tally
    }

    pub(super) fn count_sent(&self, kind: usize) {
        self.kinds[kind].sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer; returns whether it is one that is expected.
    pub(super) fn count_answer(
        &self,
        kind: usize,
        cycle: u32,
        answer: &Answer,
        expect: &Answers,
        moment: Moment,
    ) -> bool {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let took = moment.sent.elapsed();
        let mut noted = self.noted();
        noted.latency_us.saturating_record(micros(took));
        if let (Some(arrived), Some(due)) = (&mut noted.arrived, moment.due) {
            arrived.latency_us.saturating_record(micros(moment.sent.saturating_duration_since(due) + took));
        }
        drop(noted);
        let tally = &self.kinds[kind];
        match check(expect, answer, took) {
            Checked::Ok => tally.ok.fetch_add(1, Ordering::Relaxed),
            Checked::ExpectedError => tally.expected_errors.fetch_add(1, Ordering::Relaxed),
            Checked::Wrong { got, expected } => {
                self.count_failure(kind, cycle, got, expected);
                return false;
            }
        };
        true
    }

    /// Counts a flow that begins at a time of its own.
    pub(super) fn count_arrival(&self, due: Instant) {
        if let Some(arrived) = &mut self.noted().arrived {
            arrived.count += 1;
            arrived.late += u64::from(due.elapsed() > LATE);
        }
    }

    /// Notes how long the arrivals of a batch were due, and how long they took.
    pub(super) fn note_span(&self, due: Duration, took: Duration) {
        if let Some(arrived) = &mut self.noted().arrived {
            arrived.due += due;
            arrived.took += took.max(due);
        }
    }

    /// Counts a request that has no answer, as its kind expects.
    pub(super) fn count_unanswered(&self, kind: usize) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.kinds[kind].expected_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that was not answered, or not as its kind expects.
    pub(super) fn count_failure(&self, kind: usize, cycle: u32, got: String, expected: String) {
        let tally = &self.kinds[kind];
        if tally.failed.fetch_add(1, Ordering::Relaxed) < RECORDED_FAILURES {
            self.noted().failures.push(Event::RequestFailed {
                cycle,
                kind: tally.name.clone(),
                got,
                expected,
            });
        }
    }

    /// Notes that a flow ended with success, and with it the work it is known to leave behind.
    pub(super) fn note_success(&self, kind: usize) {
        if let Some(gauge) = &self.kinds[kind].holds {
            *self.noted().held.entry(gauge.clone()).or_default() += 1;
        }
    }

    /// Requests answered.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Counts by kind.
    pub(crate) fn kinds(&self) -> Vec<KindCount> {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let count = |kind: &KindTally| KindCount {
            sent: load(&kind.sent),
            ok: load(&kind.ok),
            expected_errors: load(&kind.expected_errors),
            failed: load(&kind.failed),
        };
        self.kinds.iter().map(count).collect()
    }

    /// Median and 99th percentile of the time to an answer, in microseconds.
    pub(crate) fn latency_us(&self) -> (u64, u64) {
        let noted = self.noted();
        (noted.latency_us.value_at_quantile(0.5), noted.latency_us.value_at_quantile(0.99))
    }

    /// How long the requests took; nothing if none was answered.
    pub(crate) fn answer_times(&self, cycle: u32) -> Option<Event> {
        let noted = self.noted();
        let arrivals = noted.arrived.as_ref().map(|arrived| Arrivals {
            asked_per_1000_s: per_1000_s(arrived.count, arrived.due),
            came_per_1000_s: per_1000_s(arrived.count, arrived.took),
            count: arrived.count,
            late: arrived.late,
            from_due: percentiles(&arrived.latency_us),
        });
        let from_sent = percentiles(&noted.latency_us);
        (!noted.latency_us.is_empty()).then_some(Event::AnswerTimes { cycle, from_sent, arrivals })
    }

    /// Failures noted since the last call.
    pub(crate) fn take_failures(&self) -> Vec<Event> {
        std::mem::take(&mut self.noted().failures)
    }

    /// Work left behind on purpose since the last call, by the name of the busy gauge.
    pub(crate) fn take_held(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.noted().held)
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.rest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST_LATENCY_US).max(1)
}

fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    Percentiles {
        p50_us: histogram.value_at_quantile(0.5),
        p90_us: histogram.value_at_quantile(0.9),
        p99_us: histogram.value_at_quantile(0.99),
        p999_us: histogram.value_at_quantile(0.999),
        max_us: histogram.max(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate"
)]
fn per_1000_s(count: u64, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64().max(0.001) * 1000.0).round() as u64
}
