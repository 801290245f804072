#![allow(unsafe_code)]
use std::alloc::{GlobalAlloc, Layout};
pub struct Probe<A>(A);
impl<A> Probe<A> {
    pub const fn new(inner: A) -> Self {
        Probe(inner)
    }
}
// SAFETY: stub, passes through.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Probe<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: same contract.
        unsafe { self.0.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: same contract.
        unsafe { self.0.dealloc(ptr, layout) }
    }
}
