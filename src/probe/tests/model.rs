//! Every interleaving of the probe's two pieces of lock-free state, in small: the lock that gives up, and a thread
//! that remembers its tag while a cohort begins. The models repeat `lock.rs`, and of `local.rs`, `counters.rs` and
//! `tags/mod.rs` what one context and one thread take part in, with the same orderings; change them together. A thread
//! that stops between two of its instructions for two whole cohorts is outside of the models, as of the design.
//!
//! The models rest on loom (its allocations are its own: no probe runs here).

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering, fence};
use loom::thread;

/// `Lock`, with one try instead of 21,000.
struct Lock {
    taken: AtomicBool,
    value: loom::cell::UnsafeCell<u32>,
}

impl Lock {
    fn new() -> Lock {
        Lock { taken: AtomicBool::new(false), value: loom::cell::UnsafeCell::new(0) }
    }

    /// Whether the lock could be had, and the work done under it.
    fn with(&self, work: impl FnOnce(*mut u32)) -> bool {
        if self.taken.swap(true, Ordering::Acquire) {
            return false;
        }
        self.value.with_mut(work);
        self.taken.store(false, Ordering::Release);
        true
    }
}

#[test]
#[allow(unsafe_code)] // loom's cell hands out a pointer
fn whoever_takes_the_lock_is_alone_and_sees_what_was_written_before() {
    loom::model(|| {
        let lock = Arc::new(Lock::new());
        let add = |lock: &Lock| {
            // SAFETY: loom fails the test if two threads reach the value at once.
            lock.with(|value| unsafe { *value += 1 })
        };
        let there = {
            let lock = lock.clone();
            thread::spawn(move || u32::from(add(&lock)) + u32::from(add(&lock)))
        };
        let here = u32::from(add(&lock));
        let taken = here + there.join().expect("the test can go on");
        // SAFETY: the other thread has ended.
        lock.value.with(|value| assert_eq!(unsafe { *value }, taken));
    });
}

/// One context, one thread that counts, one that advances: what `tags` and `local` share.
struct Tags {
    /// `CURRENT[context]`.
    current: AtomicU16,
    /// `Head::tag`, of the one thread.
    remembered: AtomicU16,
    /// `Head::marks_up_to`: whether what is remembered holds.
    marks: AtomicBool,
    /// The cohort that runs, which is also the tag it gives out. Written under the lock; the lock's two steps.
    cohort: AtomicUsize,
    lock: loom::sync::Mutex<()>,
}

impl Tags {
    fn new() -> Tags {
        Tags {
            current: AtomicU16::new(0),
            remembered: AtomicU16::new(0),
            marks: AtomicBool::new(false),
            cohort: AtomicUsize::new(1),
            lock: loom::sync::Mutex::new(()),
        }
    }

    /// `tags::assign`.
    fn assign(&self) -> u16 {
        let _owners = self.lock.lock().expect("the test can go on");
        let known = self.current.load(Ordering::Acquire);
        if known != 0 {
            return known;
        }
        let tag = u16::try_from(self.cohort.load(Ordering::Relaxed)).expect("the test can go on");
        self.current.store(tag, Ordering::Release);
        tag
    }

    /// `tags::advance`.
    fn advance(&self) {
        let _owners = self.lock.lock().expect("the test can go on");
        self.cohort.store(self.cohort.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.current.store(0, Ordering::Release);
        fence(Ordering::SeqCst);
        self.marks.store(false, Ordering::Relaxed);
    }

    /// `Head::mark_with`.
    fn mark_with(&self, tag: u16) {
        self.remembered.store(tag, Ordering::Relaxed);
        self.marks.store(tag != 0, Ordering::Relaxed);
    }

    /// `local::set_context`.
    fn enter(&self) {
        self.mark_with(self.current.load(Ordering::Acquire));
    }

    /// `local::allocated`: the tag a new block is charged to.
    fn allocate(&self) -> u16 {
        if self.marks.load(Ordering::Relaxed) {
            return self.remembered.load(Ordering::Relaxed);
        }
        let tag = match self.current.load(Ordering::Acquire) {
            0 => self.assign(),
            known => known,
        };
        self.mark_with(tag);
        if self.current.load(Ordering::Acquire) != tag {
            self.marks.store(false, Ordering::Relaxed);
        }
        tag
    }
}

#[test]
fn a_block_allocated_while_a_cohort_begins_is_charged_to_it_or_to_the_one_before() {
    loom::model(|| {
        let tags = Arc::new(Tags::new());
        assert_eq!(tags.allocate(), 1);
        let there = {
            let tags = tags.clone();
            thread::spawn(move || {
                tags.enter();
                (tags.allocate(), tags.allocate())
            })
        };
        tags.advance();
        let (first, second) = there.join().expect("the test can go on");
        assert!((1..=2).contains(&first) && (1..=2).contains(&second), "{first} {second}");
        // The thread that raced may remember the cohort before; the next scope it enters, or the next cohort, ends it.
        tags.enter();
        assert_eq!(tags.allocate(), 2);
    });
}

#[test]
fn a_tag_outlives_its_cohort_by_one_at_most() {
    loom::model(|| {
        let tags = Arc::new(Tags::new());
        assert_eq!(tags.allocate(), 1);
        let there = {
            let tags = tags.clone();
            thread::spawn(move || {
                tags.enter();
                tags.allocate()
            })
        };
        tags.advance();
        there.join().expect("the test can go on");
        // A tag is given out again two cohorts after its own at the soonest: by now no thread remembers it.
        tags.advance();
        assert!(!tags.marks.load(Ordering::Relaxed));
        assert_eq!(tags.allocate(), 3);
    });
}
