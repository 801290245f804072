use heapsoak_probe::Gauge;

use super::Counts;

/// Tasks that wait for a worker.
static QUEUED: Gauge = Gauge::new("queue.queued");
/// Tasks that wait for their next attempt.
static DELAYED: Gauge = Gauge::new("queue.delayed");
/// Tasks marked active.
static ACTIVE: Gauge = Gauge::new("queue.active");
/// Tasks in memory.
static TASKS: Gauge = Gauge::new("queue.tasks");
/// Work that goes on by itself: tasks a worker has or may take. Not those held back by a pause or waiting for the
/// clock, and not those marked active that nobody runs.
static WORK: Gauge = Gauge::busy("queue.work");

/// Shows the counts to the probe.
pub(super) fn publish(counts: &Counts) {
    let runnable = if counts.paused { 0 } else { counts.queued };
    for (gauge, number) in [
        (&QUEUED, counts.queued),
        (&DELAYED, counts.delayed),
        (&ACTIVE, counts.active),
        (&TASKS, counts.tasks),
        (&WORK, runnable + counts.running),
    ] {
        gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
    }
}
