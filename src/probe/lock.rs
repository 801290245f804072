//! A lock that may be taken inside an allocation.
#![allow(unsafe_code)] // interior mutability behind an atomic flag

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a waiter spins, and then yields, before it gives up.
const SPINS: u32 = 1_000;
const YIELDS: u32 = 20_000;

/// A spin lock that can give up instead of waiting for ever: in the child of a `fork`, the thread that held it may not
/// exist. It never allocates. Held for microseconds, on slow paths alone.
pub(crate) struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `taken` lets one thread at a time reach the value.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Lock<T> {
        Lock { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Takes the lock, or gives up after about 20,000 yields.
    pub(crate) fn take(&self) -> Option<Taken<'_, T>> {
        (0..SPINS + YIELDS).find_map(|round| self.attempt(round))
    }

    /// Takes the lock, however long that takes: where giving up would be worse than waiting. Such a lock is to be held by
    /// whoever forks.
    pub(crate) fn wait(&self) -> Taken<'_, T> {
        let mut round = 0;
        loop {
            if let Some(taken) = self.attempt(round) {
                return taken;
            }
            round = (round + 1).min(SPINS);
        }
    }

    #[inline]
    fn attempt(&self, round: u32) -> Option<Taken<'_, T>> {
        if !self.taken.swap(true, Ordering::Acquire) {
            return Some(Taken { lock: self });
        }
        if round < SPINS {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        None
    }

    /// Frees the lock in the child of a fork, where whoever held it does not exist.
    pub(crate) fn free_in_child(&self) {
        self.taken.store(false, Ordering::Release);
    }
}

/// The lock, taken; given back when dropped.
pub(crate) struct Taken<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard exists once while `taken` is set.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Taken<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard exists once while `taken` is set, and is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.lock.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_never_hold_it_at_once() {
        static COUNT: Lock<u64> = Lock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        *COUNT.take().expect("it is held for nanoseconds") += 1;
                        *COUNT.wait() += 1;
                    }
                });
            }
        });
        assert_eq!(*COUNT.wait(), 80_000);
    }

    #[test]
    fn a_waiter_gives_up_when_the_holder_never_comes_back() {
        let lock = Lock::new(());
        let held = lock.take();
        assert!(held.is_some());
        assert!(lock.take().is_none());
    }
}
