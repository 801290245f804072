//! The sum over contexts is the total, and the total is what an independent count says, to the byte and block, with
//! threads, tasks, frees elsewhere, and every size and alignment in play.
#![allow(unsafe_code)] // counts before main, raw blocks of odd alignments

mod support;

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::sync::mpsc;

use heapsoak_probe::{Component, Probe, RequestKind};
use support::{Reference, assert_adds_up, live_bytes};

#[global_allocator]
static ALLOCATOR: Reference<Probe<jemallocator::Jemalloc>> =
    Reference::new(Probe::new(jemallocator::Jemalloc));

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

/// A raw block, freed with the layout it has.
struct Raw {
    block: *mut u8,
    layout: Layout,
}

// SAFETY: a block may be freed on any thread.
unsafe impl Send for Raw {}

impl Raw {
    fn new(size: usize, align: usize, zeroed: bool) -> Raw {
        let layout = Layout::from_size_align(size, align).expect("a power of two");
        // SAFETY: the size is not zero.
        let block = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
        assert!(!block.is_null() && block.addr().is_multiple_of(align));
        Raw { block, layout }
    }

    fn resize(&mut self, size: usize) {
        // SAFETY: the layout is the block's, and the new size is not zero.
        self.block = unsafe { realloc(self.block, self.layout, size) };
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("as before");
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the layout is the block's.
        unsafe { dealloc(self.block, self.layout) }
    }
}

/// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).expect("31 bits")
}

fn size(state: &mut u64) -> usize {
    match random(state) % 100 {
        0 => 1 + random(state) % (16 << 20),
        1..10 => 1 + random(state) % 65_536,
        _ => 1 + random(state) % 300,
    }
}

fn churn(seed: u64, steps: usize, elsewhere: &mpsc::Sender<Raw>) -> Vec<Raw> {
    let mut state = seed;
    let mut held: Vec<Raw> = Vec::new();
    for _ in 0..steps {
        let component = &COMPONENTS[random(&mut state) % COMPONENTS.len()];
        let _scope = component.enter();
        let _kind = RequestKind::named(["ok", "fail", "slow"][random(&mut state) % 3]).enter();
        match random(&mut state) % 8 {
            0..4 => {
                let align = 1 << (random(&mut state) % 13);
                held.push(Raw::new(size(&mut state), align, random(&mut state).is_multiple_of(2)));
            }
            4 if !held.is_empty() => {
                let index = random(&mut state) % held.len();
                held[index].resize(size(&mut state));
            }
            5 if !held.is_empty() => {
                let index = random(&mut state) % held.len();
                elsewhere.send(held.swap_remove(index)).expect("the other end waits");
            }
            _ if !held.is_empty() => {
                let index = random(&mut state) % held.len();
                drop(held.swap_remove(index));
            }
            _ => {}
        }
    }
    held
}

#[test]
fn contexts_add_up_to_the_total_and_the_total_to_an_independent_count() {
    let steps = std::env::var("HEAPSOAK_STRESS_STEPS").map_or(20_000, |steps| steps.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (elsewhere, freed_there) = mpsc::channel::<Raw>();
    let freer = std::thread::spawn(move || freed_there.into_iter().for_each(drop));
    let mut kept: Vec<Vec<Raw>> = Vec::new();
    for round in 0..3_u64 {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let elsewhere = elsewhere.clone();
                std::thread::spawn(move || churn(1 + thread + 8 * round, steps, &elsewhere))
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
        // The counts are read and cohorts advance while the threads run.
        while !threads.iter().all(std::thread::JoinHandle::is_finished) {
            for context in heapsoak_probe::heap().contexts {
                assert!(context.allocated_bytes >= context.freed_bytes, "{:?}", context.path);
                assert!(context.allocated_blocks >= context.freed_blocks, "{:?}", context.path);
            }
            let _ = heapsoak_probe::advance_cohort();
        }
        kept.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        let blocks: Vec<Vec<u8>> = runtime
            .block_on(async { futures_util::future::join_all(tasks).await })
            .into_iter()
            .map(Result::unwrap)
            .collect();
        if round == 1 {
            kept.remove(0); // threads are gone whose memory others free now
        }
        drop(blocks);
    }
    drop(elsewhere);
    freer.join().unwrap();
    drop(runtime);

    // At rest: this thread is the only one left, and with warm books reading the counters allocates nothing.
    drop(heapsoak_probe::heap());
    let (bytes, blocks) = (ALLOCATOR.live_bytes(), ALLOCATOR.live_blocks());
    let heap = heapsoak_probe::heap();
    assert_eq!((heap.total_live_bytes, heap.total_live_blocks), (bytes, blocks));
    assert_adds_up(&heap);
    assert_eq!(heap.uncounted_freed_bytes, 0, "everything was counted from the first allocation on");
    let kept_bytes: usize = kept.iter().flatten().map(|raw| raw.layout.size()).sum();
    let in_components: u64 = COMPONENTS.iter().map(|component| live_bytes(&heap, component.name())).sum();
    assert!(in_components >= kept_bytes as u64);

    kept.clear();
    let heap = heapsoak_probe::heap();
    assert_adds_up(&heap);
    let in_components: u64 = COMPONENTS.iter().map(|component| live_bytes(&heap, component.name())).sum();
    assert!(
        in_components < 64 * 1024,
        "only buffers of the test's own lists may be left, not {in_components}"
    );
}
