//! Time of an allocation and its free, counted and not, side by side in one process.
//!
//! `cargo bench -p heapsoak-probe --bench pair`
#![allow(unsafe_code, clippy::print_stdout)] // calls allocators directly; prints what it measured

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::time::Instant;

use heapsoak_probe::Probe;
use jemallocator::Jemalloc;

static PLAIN: Jemalloc = Jemalloc;
static PROBE: Probe<Jemalloc> = Probe::new(Jemalloc);

const PAIRS: u32 = 2_000_000;
const ROUNDS: usize = 15;

#[inline(never)]
fn pairs(allocator: &impl GlobalAlloc) -> f64 {
    let layout = Layout::from_size_align(64, 8).expect("a power of two");
    let start = Instant::now();
    for _ in 0..PAIRS {
        // SAFETY: the size is not zero, and the block is freed with its layout.
        unsafe {
            let block = black_box(allocator.alloc(black_box(layout)));
            allocator.dealloc(block, layout);
        }
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(PAIRS)
}

fn on_threads(threads: usize, allocator: &(impl GlobalAlloc + Sync)) -> f64 {
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(|| pairs(allocator))).collect();
        handles.into_iter().map(|handle| handle.join().expect("it only allocates")).fold(0.0, f64::max)
    })
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    heapsoak_probe::count();
    for threads in [1, 2] {
        let (mut plain, mut probe, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (without, with) = (on_threads(threads, &PLAIN), on_threads(threads, &PROBE));
            plain.push(without);
            probe.push(with);
            ratio.push(with / without);
        }
        println!(
            "{threads} thread(s): jemalloc {:.1} ns, counted {:.1} ns, ratio {:.2}",
            median(&mut plain),
            median(&mut probe),
            median(&mut ratio)
        );
    }
}
