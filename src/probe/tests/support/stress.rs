//! The stress that every allocator inside the probe has to stand: threads, tasks, frees elsewhere, resizes by others,
//! threads that end while others free their memory, every size and alignment, against a model that counts apart.
#![allow(unsafe_code)] // counts before main, raw blocks of odd alignments

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use heapsoak_probe::{Component, RequestKind};

use crate::support::{assert_adds_up, context};

/// Counts from before the first allocation, as `HEAPSOAK_SOCKET` in the environment would.
#[used]
#[unsafe(link_section = ".init_array")]
static COUNT_BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn count() {
        heapsoak_probe::count();
    }
    count
};

macro_rules! components {
    ($($name:literal)*) => { [$(Component::new($name)),*] };
}
static COMPONENTS: [Component; 20] = components!("c0" "c1" "c2" "c3" "c4" "c5" "c6" "c7" "c8" "c9"
    "c10" "c11" "c12" "c13" "c14" "c15" "c16" "c17" "c18" "c19");
const KINDS: [&str; 3] = ["ok", "fail", "slow"];

/// Most blocks a thread of the stress holds.
const HELD: usize = 400;
const THREADS: u64 = 8;
const ROUNDS: u64 = 3;

/// What the probe should have counted for one context, written by everyone who allocates.
struct Expected {
    allocated_bytes: AtomicU64,
    allocated_blocks: AtomicU64,
    freed_bytes: AtomicU64,
    freed_blocks: AtomicU64,
}

impl Expected {
    const fn new() -> Expected {
        Expected {
            allocated_bytes: AtomicU64::new(0),
            allocated_blocks: AtomicU64::new(0),
            freed_bytes: AtomicU64::new(0),
            freed_blocks: AtomicU64::new(0),
        }
    }
}

static MODEL: [[Expected; KINDS.len()]; COMPONENTS.len()] =
    [const { [const { Expected::new() }; KINDS.len()] }; COMPONENTS.len()];

/// A raw block, freed with the layout it has.
struct Raw {
    block: *mut u8,
    layout: Layout,
    owner: &'static Expected,
}

// SAFETY: a block may be freed on any thread.
unsafe impl Send for Raw {}

impl Raw {
    /// A block charged to the component and kind.
    fn new(component: usize, kind: usize, layout: Layout, zeroed: bool) -> Raw {
        let _component = COMPONENTS[component].enter();
        let _kind = RequestKind::named(KINDS[kind]).enter();
        // SAFETY: the size is not zero.
        let block = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
        assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
        let owner = &MODEL[component][kind];
        owner.allocated_bytes.fetch_add(layout.size() as u64, Ordering::Relaxed);
        owner.allocated_blocks.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the block has this many bytes, zeroed or about to be written.
        unsafe {
            assert!(!zeroed || (block.read() == 0 && block.add(layout.size() - 1).read() == 0));
            block.write(0xa5);
            block.add(layout.size() - 1).write(0x5a);
        }
        Raw { block, layout, owner }
    }

    /// Resized in the scope of another component, it stays its owner's.
    fn resize(&mut self, by: usize, size: usize) {
        let _component = COMPONENTS[by].enter();
        let old = self.layout.size();
        // SAFETY: the layout is the block's, and the new size is not zero.
        self.block = unsafe { realloc(self.block, self.layout, size) };
        assert!(!self.block.is_null() && self.block.addr().is_multiple_of(self.layout.align()));
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("as before");
        let (grown, shrunk) = (size.saturating_sub(old), old.saturating_sub(size));
        self.owner.allocated_bytes.fetch_add(grown as u64, Ordering::Relaxed);
        self.owner.freed_bytes.fetch_add(shrunk as u64, Ordering::Relaxed);
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.owner.freed_bytes.fetch_add(self.layout.size() as u64, Ordering::Relaxed);
        self.owner.freed_blocks.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the layout is the block's.
        unsafe { dealloc(self.block, self.layout) }
    }
}

/// Allocates while its thread ends: some for nothing, one block to be kept.
struct Last(Cell<usize>);

static KEPT_BY_ENDED_THREADS: Mutex<Vec<Raw>> = Mutex::new(Vec::new());

impl Drop for Last {
    fn drop(&mut self) {
        let component = self.0.get() % COMPONENTS.len();
        for size in 1..20 {
            drop(Raw::new(component, 0, Layout::from_size_align(size, 8).expect("a power of two"), false));
        }
        let block = Raw::new(component, 1, Layout::from_size_align(777, 16).expect("a power of two"), true);
        KEPT_BY_ENDED_THREADS.lock().expect("no one panics with it").push(block);
    }
}

thread_local! {
    static LAST: Last = const { Last(Cell::new(0)) };
}

/// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
pub(crate) fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).expect("31 bits")
}

fn size(state: &mut u64) -> usize {
    match random(state) % 200 {
        0 => 1 + random(state) % (16 << 20),
        1..20 => 1 + random(state) % 65_536,
        _ => 1 + random(state) % 300,
    }
}

fn churn(seed: u64, steps: usize, held: &mut Vec<Raw>, elsewhere: &mpsc::Sender<Raw>) {
    let mut state = seed;
    LAST.with(|last| last.0.set(random(&mut state)));
    for _ in 0..steps {
        let component = random(&mut state) % COMPONENTS.len();
        let index = random(&mut state) % held.len().max(1);
        match random(&mut state) % 8 {
            0..4 if held.len() < HELD => {
                let align = 1 << (random(&mut state) % 13);
                let layout = Layout::from_size_align(size(&mut state), align).expect("a power of two");
                let (kind, zeroed) = (random(&mut state) % KINDS.len(), random(&mut state).is_multiple_of(2));
                held.push(Raw::new(component, kind, layout, zeroed));
            }
            4 if !held.is_empty() => held[index].resize(component, size(&mut state)),
            5 if !held.is_empty() => {
                elsewhere.send(held.swap_remove(index)).expect("the other end waits");
            }
            _ if !held.is_empty() => {
                let _scope = COMPONENTS[component].enter();
                drop(held.swap_remove(index));
            }
            _ => {}
        }
    }
}

/// Runs the stress. `live` is what an independent count of the same process says lives: bytes and blocks.
///
/// `HEAPSOAK_STRESS_STEPS` sets the steps of each of the 24 threads.
pub(crate) fn run(live: impl Fn() -> (u64, u64)) {
    let steps = std::env::var("HEAPSOAK_STRESS_STEPS")
        .map_or(10_000, |steps| steps.parse().expect("the test can go on"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the test can go on");
    let (elsewhere, freed_there) = mpsc::channel::<Raw>();
    let freer = std::thread::spawn(move || freed_there.into_iter().for_each(drop));
    KEPT_BY_ENDED_THREADS.lock().expect("the test can go on").reserve(64);
    let mut kept: Vec<Vec<Raw>> = Vec::new();
    for round in 0..ROUNDS {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let elsewhere = elsewhere.clone();
                std::thread::spawn(move || {
                    let mut held = Vec::with_capacity(HELD);
                    churn(1 + thread + THREADS * round, steps, &mut held, &elsewhere);
                    held
                })
            })
            .collect();
        let tasks: Vec<_> = (0..50)
            .map(|index: usize| {
                let _guard = runtime.enter();
                let _scope = COMPONENTS[index % COMPONENTS.len()].enter();
                heapsoak_probe::spawn(async move {
                    let block = vec![1_u8; 100 + index];
                    tokio::task::yield_now().await;
                    block
                })
            })
            .collect();
        // The counts are read and cohorts advance while the threads run: every reading adds up.
        while !threads.iter().all(std::thread::JoinHandle::is_finished) {
            let heap = heapsoak_probe::heap();
            for context in &heap.contexts {
                assert!(context.allocated_bytes >= context.freed_bytes, "{:?}", context.path);
                assert!(context.allocated_blocks >= context.freed_blocks, "{:?}", context.path);
            }
            assert_adds_up(&heap);
            let _ = heapsoak_probe::advance_cohort();
        }
        kept.extend(threads.into_iter().map(|thread| thread.join().expect("the test can go on")));
        let blocks = runtime.block_on(futures_util::future::join_all(tasks));
        if round == 1 {
            kept.remove(0); // threads are gone whose memory others free now
        }
        drop(blocks);
    }
    drop(elsewhere);
    freer.join().expect("the test can go on");
    drop(runtime);

    // At rest: this thread is the only one left, and with warm books reading the counters allocates nothing.
    drop(heapsoak_probe::heap());
    let (bytes, blocks) = live();
    let heap = heapsoak_probe::heap();
    assert_eq!((heap.total_live_bytes, heap.total_live_blocks), (bytes, blocks));
    assert_adds_up(&heap);
    assert_eq!(heap.uncounted_freed_bytes, 0, "everything was counted from the first allocation on");
    assert_as_the_model_says(&heap);

    let ended = std::mem::take(&mut *KEPT_BY_ENDED_THREADS.lock().expect("the test can go on"));
    assert_eq!(ended.len() as u64, THREADS * ROUNDS);
    drop((ended, kept));
    let heap = heapsoak_probe::heap();
    assert_adds_up(&heap);
    assert_as_the_model_says(&heap);
    for component in &COMPONENTS {
        for kind in KINDS {
            let context = context(&heap, component.name(), Some(kind));
            assert_eq!((context.live_bytes(), context.live_blocks()), (0, 0), "{} {kind}", component.name());
        }
    }
}

/// Every context is what the model says, to the byte and the block, of the dead as of the living.
fn assert_as_the_model_says(heap: &heapsoak_record::Heap) {
    for (component, by_kind) in COMPONENTS.iter().zip(&MODEL) {
        for (kind, expected) in KINDS.iter().zip(by_kind) {
            let counted = context(heap, component.name(), Some(kind));
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            assert_eq!(
                (
                    counted.allocated_bytes,
                    counted.allocated_blocks,
                    counted.freed_bytes,
                    counted.freed_blocks
                ),
                (
                    read(&expected.allocated_bytes),
                    read(&expected.allocated_blocks),
                    read(&expected.freed_bytes),
                    read(&expected.freed_blocks)
                ),
                "allocated bytes, blocks, freed bytes, blocks of {} {kind}",
                component.name()
            );
        }
    }
}
