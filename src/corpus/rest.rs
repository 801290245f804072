use std::time::{Duration, Instant};

use heapsoak_probe::heap;
use heapsoak_record::{Heap, OWN_COMPONENT};

/// How often a program is looked at until it stands still.
const MOST_LOOKS: u32 = 400;

/// How often every task gets its turn between two looks.
const TURNS: u32 = 16;

/// A program at rest.
pub(crate) struct Rested {
    pub(crate) heap: Heap,
    /// Whether it did come to rest.
    pub(crate) quiet: bool,
    pub(crate) waited: Duration,
}

/// Lets tasks run until nothing is allocated or freed any more.
pub(crate) async fn rest() -> Rested {
    let started = Instant::now();
    let mut before = heap();
    for look in 0..MOST_LOOKS {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        if look > 1 {
            // Something outside the runtime's thread is at work: a blocking thread, a child.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let now = heap();
        if moves(&now) == moves(&before) {
            return Rested { heap: now, quiet: true, waited: started.elapsed() };
        }
        before = now;
    }
    Rested { heap: before, quiet: false, waited: started.elapsed() }
}

/// Blocks ever allocated and freed, without the tool's own.
fn moves(heap: &Heap) -> (u64, u64) {
    heap.contexts
        .iter()
        .filter(|context| context.component() != OWN_COMPONENT)
        .fold((0, 0), |sum, context| (sum.0 + context.allocated_blocks, sum.1 + context.freed_blocks))
}
