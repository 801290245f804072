use std::sync::atomic::{AtomicI64, Ordering};
/// A number the server knows and the report shows: `static ENTRIES: Gauge = Gauge::new("cache.entries");`
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    busy: bool,
    value: AtomicI64,
}
impl Gauge {
    pub const fn new(name: &'static str) -> Gauge {
        Gauge { name, busy: false, value: AtomicI64::new(0) }
    }
    /// Counts work under way: the server is at rest only when it is zero.
    pub const fn busy(name: &'static str) -> Gauge {
        Gauge { name, busy: true, value: AtomicI64::new(0) }
    }
    pub fn set(&'static self, value: i64) {
        self.value.store(value, Ordering::Relaxed);
    }
    pub fn add(&'static self, delta: i64) {
        self.value.fetch_add(delta, Ordering::Relaxed);
    }
    pub fn get(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }
    /// Adds one until the guard is dropped.
    #[must_use]
    pub fn hold(&'static self) -> GaugeHold {
        self.add(1);
        GaugeHold(self)
    }
}
/// See [`Gauge::hold`].
#[derive(Debug)]
pub struct GaugeHold(&'static Gauge);
impl Drop for GaugeHold {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
