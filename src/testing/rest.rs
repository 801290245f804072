use std::time::{Duration, Instant};

use heapsoak_probe::heap;
use heapsoak_record::Heap;

use crate::scope::Scope;

/// How often a soak is looked at until it stands still.
const MOST_LOOKS: u32 = 2_000;

/// How often every task gets its turn between two looks.
const TURNS: u32 = 8;

/// Looks in a row that must see the same.
const SAME_LOOKS: u32 = 2;

/// A soak at rest.
pub(crate) struct Rested {
    pub(crate) heap: Heap,
    /// Whether it did come to rest.
    pub(crate) quiet: bool,
    pub(crate) waited: Duration,
}

/// Waits, in place, until the soak's scope neither allocates nor frees.
pub(crate) fn rest(scope: &Scope) -> Rested {
    let mut looks = Looks::start(scope);
    loop {
        if let Some(rested) = looks.look(scope) {
            return rested;
        }
        looks.pause(std::thread::sleep);
    }
}

/// The same, giving every task its turn.
pub(crate) async fn rest_async(scope: &Scope) -> Rested {
    let mut looks = Looks::start(scope);
    loop {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        if let Some(rested) = looks.look(scope) {
            return rested;
        }
        if looks.same == 0 {
            // Somebody outside the runtime's thread is at work: a blocking thread, a child.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

struct Looks {
    started: Instant,
    before: (u64, u64),
    looks: u32,
    same: u32,
}

impl Looks {
    fn start(scope: &Scope) -> Looks {
        let before = scope.moves(&heap());
        Looks { started: Instant::now(), before, looks: 0, same: 0 }
    }

    /// Looks once; answers when the soak is at rest, or patience has ended.
    fn look(&mut self, scope: &Scope) -> Option<Rested> {
        let _own = scope.own.enter();
        let heap = heap();
        let now = scope.moves(&heap);
        self.same = if now == self.before { self.same + 1 } else { 0 };
        (self.before, self.looks) = (now, self.looks + 1);
        let quiet = self.same >= SAME_LOOKS;
        (quiet || self.looks >= MOST_LOOKS).then(|| Rested { heap, quiet, waited: self.started.elapsed() })
    }

    /// A moment, unless the last look saw nothing move: in a soak of plain calls nothing does.
    fn pause(&self, sleep: fn(Duration)) {
        if self.same == 0 {
            sleep(Duration::from_millis(1));
        }
    }
}
