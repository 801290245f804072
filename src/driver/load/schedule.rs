use std::io;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::net::unix::pipe;

use crate::cycle::PlannedFlow;
use crate::draw::Draw;
use crate::scenario::{Rate, Scenario, Spread};

/// The number of the draw the times of a cycle's arrivals come from.
const ARRIVAL_DRAW: u32 = u32::MAX - 2;

/// How long a batch lasts at its rate.
pub(super) fn last_for(flows: &[PlannedFlow], rate: Rate, scenario: &Scenario) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    let all = costs(flows, scenario).sum::<u64>() as f64;
    rate.due_after(all, all)
}

/// When each flow of a batch is to begin, from its start on.
pub(super) fn list_due(
    flows: &[PlannedFlow],
    rate: Rate,
    scenario: &Scenario,
    seed: u64,
    cycle: u32,
) -> Vec<Duration> {
    let mut draw = Draw::flow(seed, cycle, ARRIVAL_DRAW ^ flows.first().map_or(0, |flow| flow.index));
    draw_times(costs(flows, scenario), rate, scenario.spread, &mut draw)
}

fn costs<'a>(flows: &'a [PlannedFlow], scenario: &'a Scenario) -> impl Iterator<Item = u64> + Clone + 'a {
    flows.iter().map(|flow| flow.requests(scenario))
}

fn draw_times(
    costs: impl Iterator<Item = u64> + Clone,
    rate: Rate,
    spread: Spread,
    draw: &mut Draw,
) -> Vec<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    let all = costs.clone().sum::<u64>() as f64;
    let mut begun = 0.0;
    let mut times = Vec::new();
    for cost in costs {
        times.push(rate.due_after(begun, all));
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let cost = cost as f64;
        // At random, the requests between two arrivals are spread as the time between them would be at an even rate.
        begun += match spread {
            Spread::Constant => cost,
            Spread::Poisson => draw.exponential(cost),
        };
    }
    times
}

/// Wakes at a moment, to some microseconds; the runtime's own timers know milliseconds only.
#[derive(Debug)]
pub(super) struct Alarm(pipe::Receiver);

impl Alarm {
    /// Must be called within a runtime with I/O enabled.
    pub(super) fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // A timer is read as a pipe is, by whoever waits for it.
        Ok(Alarm(pipe::Receiver::from_owned_fd_unchecked(timer)?))
    }

    /// Waits until a moment, if it is not past.
    pub(super) async fn wait_until(&self, moment: Instant) -> io::Result<()> {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let value = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        loop {
            self.0.readable().await?;
            match self.0.try_read(&mut [0; 8]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(rate: Rate, spread: Spread, seed: u64, count: usize) -> Vec<Duration> {
        draw_times(std::iter::repeat_n(1, count), rate, spread, &mut Draw::flow(seed, 1, ARRIVAL_DRAW))
    }

    fn even(rate: f64) -> Rate {
        Rate { from: rate, to: rate }
    }

    #[test]
    fn constant_arrivals_have_the_same_time_between_them() {
        let times = times(even(4.0), Spread::Constant, 1, 4);
        assert_eq!(times.iter().map(Duration::as_millis).collect::<Vec<_>>(), [0, 250, 500, 750]);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread_of_their_law() {
        let drawn = times(even(100.0), Spread::Poisson, 7, 20_000);
        let gaps: Vec<f64> = drawn.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean * 100.0 - 1.0).abs() < 0.03, "{mean}");
        // Of an exponential law, one gap in e is longer than the mean, and one in e squared longer than twice that.
        for (times, share) in [(1.0, 0.368), (2.0, 0.135)] {
            let longer = gaps.iter().filter(|gap| **gap > times * mean).count() as f64 / gaps.len() as f64;
            assert!((longer - share).abs() < 0.015, "{longer} above {times} means");
        }
        assert_eq!(drawn, times(even(100.0), Spread::Poisson, 7, 20_000));
        assert_ne!(drawn, times(even(100.0), Spread::Poisson, 8, 20_000));
    }

    proptest! {
        #[test]
        fn arrivals_come_one_after_the_other(
            seed: u64,
            from in 0.01_f64..1e6,
            to in 0.01_f64..1e6,
            poisson: bool,
        ) {
            let spread = if poisson { Spread::Poisson } else { Spread::Constant };
            let times = times(Rate { from, to }, spread, seed, 50);
            prop_assert_eq!((times.len(), times[0]), (50, Duration::ZERO));
            prop_assert!(times.is_sorted(), "{times:?}");
        }
    }

    #[tokio::test]
    async fn an_alarm_never_wakes_early() {
        let alarm = Alarm::new().unwrap();
        for micros in [0, 50, 900, 2_500] {
            let moment = Instant::now() + Duration::from_micros(micros);
            alarm.wait_until(moment).await.unwrap();
            assert!(Instant::now() >= moment, "{micros} us");
        }
        alarm.wait_until(Instant::now() - Duration::from_secs(1)).await.unwrap();
    }
}
