use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use heapsoak_record::wire::Stillness;
use tokio::time::sleep;

use crate::clock::to_ms;
use crate::observer::{ObserveError, Observer};

/// Time between two looks at the server before a snapshot.
const POLL: Duration = Duration::from_millis(10);

/// The same between two stages of a cycle, where little depends on it.
const STAGE_POLL: Duration = Duration::from_millis(4);

/// Work that is under way but does not move for this long is held, not done: the server is at rest with it.
const HELD_AFTER: Duration = Duration::from_millis(300);

/// Longest wait for rest. Counted in looks, so that a machine that stood still meanwhile takes nothing off it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells when the server has come to rest.
///
/// At rest, nothing is allocated or freed between looks, and no busy gauge is above zero. Work that a scenario starts in
/// order to leave it hanging (an agent that never ends) keeps a busy gauge raised; it counts as held if the scenario
/// said so, or once nothing has moved for a while.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Work known to be held, by the name of the busy gauge.
    held: BTreeMap<String, i64>,
}

/// How a wait for rest ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rested {
    /// What still moved when patience ended; none if the server is at rest.
    pub(crate) busy: Option<String>,
    pub(crate) waited_ms: u64,
}

impl Rest {
    /// A flow left work behind that will raise this busy gauge until the clock moves.
    pub(crate) fn expect_held(&mut self, gauge: &str, count: u64) {
        *self.held.entry(gauge.to_owned()).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
    }

    /// The clock was moved: held work may come to its end, so nothing is known to be held.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// Waits until the server is at rest, or patience ends.
    pub(crate) async fn wait(&mut self, observer: &mut Observer) -> Result<Rested, ObserveError> {
        self.wait_with(observer, POLL).await
    }

    /// The same between two stages.
    pub(crate) async fn wait_between_stages(
        &mut self,
        observer: &mut Observer,
    ) -> Result<Rested, ObserveError> {
        self.wait_with(observer, STAGE_POLL).await
    }

    async fn wait_with(&mut self, observer: &mut Observer, poll: Duration) -> Result<Rested, ObserveError> {
        let (start, looks) = (Instant::now(), observer.looks());
        let mut last = observer.stillness().await?;
        let (mut same, mut still_since) = (1, start);
        let mut looks_left = (PATIENCE.as_millis() / poll.as_millis().max(1)).max(1);
        loop {
            let known =
                last.busy.iter().all(|gauge| gauge.value <= self.held.get(&gauge.name).copied().unwrap_or(0));
            if same >= looks && (known || still_since.elapsed() >= HELD_AFTER) {
                self.held = last.busy.iter().map(|gauge| (gauge.name.clone(), gauge.value)).collect();
                return Ok(Rested { busy: None, waited_ms: to_ms(start.elapsed()) });
            }
            looks_left -= 1;
            if looks_left == 0 {
                return Ok(Rested { busy: Some(describe(&last)), waited_ms: to_ms(start.elapsed()) });
            }
            sleep(poll).await;
            let now = observer.stillness().await?;
            if now == last {
                same += 1;
            } else {
                (last, same, still_since) = (now, 1, Instant::now());
            }
        }
    }
}

fn describe(stillness: &Stillness) -> String {
    if stillness.busy.is_empty() {
        return "memory is still allocated or freed".to_owned();
    }
    let gauges: Vec<String> =
        stillness.busy.iter().map(|gauge| format!("{} = {}", gauge.name, gauge.value)).collect();
    format!("{}, and memory is still allocated or freed", gauges.join(", "))
}
