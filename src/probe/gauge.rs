use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, Ordering};

/// A number the server knows and the report shows beside the heap.
///
/// ```
/// use heapsoak_probe::Gauge;
///
/// static ENTRIES: Gauge = Gauge::new("cache.entries");
/// static RUNNING: Gauge = Gauge::busy("queue.running");
///
/// ENTRIES.set(12);
/// let job = RUNNING.hold(); // at rest only when dropped
/// # drop(job);
/// ```
///
/// The part of the name before the first dot is the component it belongs to. A gauge appears in snapshots once it was
/// first written.
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    busy: bool,
    value: AtomicI64,
    listed: AtomicBool,
    next: AtomicPtr<Gauge>,
}

/// Gauges that were written, newest first.
static LISTED: AtomicPtr<Gauge> = AtomicPtr::new(ptr::null_mut());

impl Gauge {
    /// A gauge of this name, for a `static`.
    #[must_use]
    pub const fn new(name: &'static str) -> Gauge {
        Gauge {
            name,
            busy: false,
            value: AtomicI64::new(0),
            listed: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// A gauge of work under way: while it is above zero the server is not at rest, and no snapshot is taken.
    #[must_use]
    pub const fn busy(name: &'static str) -> Gauge {
        Gauge { busy: true, ..Gauge::new(name) }
    }

    /// Sets it.
    pub fn set(&'static self, value: i64) {
        self.value.store(value, Ordering::Relaxed);
        self.list();
    }

    /// Changes it by `delta`.
    pub fn add(&'static self, delta: i64) {
        self.value.fetch_add(delta, Ordering::Relaxed);
        self.list();
    }

    /// Its value.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Adds one, until the guard is dropped.
    #[must_use]
    pub fn hold(&'static self) -> GaugeHold {
        self.add(1);
        GaugeHold(self)
    }

    fn list(&'static self) {
        if self.listed.load(Ordering::Relaxed) || self.listed.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut head = LISTED.load(Ordering::Acquire);
        loop {
            self.next.store(head, Ordering::Relaxed);
            let new = ptr::from_ref(self).cast_mut();
            match LISTED.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}

/// Adds one to a [`Gauge`] while it lives.
#[derive(Debug)]
pub struct GaugeHold(&'static Gauge);

impl Drop for GaugeHold {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// Every gauge that was written, by name.
pub(crate) fn all() -> Vec<heapsoak_record::Gauge> {
    let mut gauges = Vec::new();
    let mut next = LISTED.load(Ordering::Acquire);
    while let Some(gauge) = listed(next) {
        gauges.push(heapsoak_record::Gauge {
            name: gauge.name.to_owned(),
            value: gauge.get(),
            busy: gauge.busy,
        });
        next = gauge.next.load(Ordering::Acquire);
    }
    gauges.sort_by(|a, b| a.name.cmp(&b.name));
    gauges
}

#[allow(unsafe_code)] // an intrusive list of statics
fn listed(gauge: *mut Gauge) -> Option<&'static Gauge> {
    // SAFETY: only `&'static` gauges are put on the list.
    unsafe { gauge.as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_appears_once_it_is_written_and_a_hold_gives_back_what_it_took() {
        static HELD: Gauge = Gauge::busy("gauge-test.held");
        assert!(all().iter().all(|gauge| gauge.name != "gauge-test.held"));
        let hold = HELD.hold();
        let seen = || all().into_iter().find(|gauge| gauge.name == "gauge-test.held").unwrap();
        assert_eq!((seen().value, seen().busy), (1, true));
        drop(hold);
        assert_eq!(seen().value, 0);
    }
}
