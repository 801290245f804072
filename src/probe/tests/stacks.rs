//! Captured stacks name the functions that allocated, and hold what lives of them, exactly.

mod support;

use std::hint::black_box;

use heapsoak_probe::{CaptureRate, Component, Probe, RequestKind, capture_stacks, count, heap, stacks};
use heapsoak_record::{Stack, Stacks};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static KEPT: Component = Component::new("kept");
static ASIDE: Component = Component::new("aside");
static GROWN: Component = Component::new("grown");
static MOVED: Component = Component::new("moved");
static LATER: Component = Component::new("later");
static DEEP: Component = Component::new("deep");

#[inline(never)]
fn allocate_here(bytes: usize) -> Vec<u8> {
    let block = black_box(vec![1_u8; bytes]);
    black_box(block)
}

#[inline(never)]
fn call_it(bytes: usize) -> Vec<u8> {
    let block = black_box(allocate_here(black_box(bytes)));
    black_box(block)
}

#[inline(never)]
fn call_it_otherwise(bytes: usize) -> Vec<u8> {
    let half = black_box(bytes / 2); // or the compiler makes it one with `call_it`
    let block = black_box(allocate_here(half + bytes.div_ceil(2)));
    black_box(block)
}

fn add(kept: &mut Vec<Vec<u8>>, otherwise: bool) {
    let block = call_it(100);
    if otherwise {
        kept.push(call_it_otherwise(10));
        kept.push(block);
    }
}

#[inline(never)]
fn recurse(depth: usize) -> Vec<u8> {
    let block = if depth == 0 { allocate_here(64) } else { recurse(black_box(depth - 1)) };
    black_box(block)
}

/// Where each of the functions that allocate here starts, by name.
fn functions() -> Vec<(usize, &'static str)> {
    let mut functions = vec![
        (allocate_here as fn(usize) -> Vec<u8> as usize, "allocate_here"),
        (call_it as fn(usize) -> Vec<u8> as usize, "call_it"),
        (call_it_otherwise as fn(usize) -> Vec<u8> as usize, "call_it_otherwise"),
        (recurse as fn(usize) -> Vec<u8> as usize, "recurse"),
    ];
    functions.sort_unstable();
    functions
}

/// The functions of this file on a stack, innermost first.
fn named(stacks: &Stacks, stack: &Stack) -> Vec<&'static str> {
    let functions = functions();
    let name = |&index: &u32| {
        let frame = stacks.frame(index)?;
        let module = &stacks.modules[frame.module? as usize];
        let address = usize::try_from(frame.address.wrapping_add(module.bias)).ok()?;
        let (start, name) = functions.iter().rev().find(|(start, _)| *start <= address)?;
        (address - start < 300).then_some(*name)
    };
    stack.frames.iter().filter_map(name).collect()
}

fn of<'a>(stacks: &'a Stacks, component: &str) -> Vec<&'a Stack> {
    stacks.stacks.iter().filter(|stack| stack.component() == component).collect()
}

#[test]
fn stacks_name_the_functions_that_allocated_and_hold_what_lives_of_them() {
    count();
    let before = KEPT.scope(|| call_it(1_000));
    capture_stacks(None, CaptureRate::Every).unwrap();

    // Two ways to the same function are two stacks, in two kinds four.
    let mut kept = Vec::new();
    let kinds = ["a", "b"].map(RequestKind::named);
    for _ in 0..10 {
        for kind in kinds {
            let _scope = KEPT.enter();
            let _kind = kind.enter();
            add(&mut kept, true);
            add(&mut kept, false);
        }
    }
    let taken = stacks();
    for kind in ["a", "b"] {
        for (caller, live, allocated) in
            [("call_it", (1_000, 10), 2_000), ("call_it_otherwise", (100, 10), 100)]
        {
            let mut sums = (0, 0, 0);
            for stack in of(&taken, "kept").iter().filter(|stack| stack.kind.as_deref() == Some(kind)) {
                if named(&taken, stack).starts_with(&["allocate_here", caller]) {
                    assert!(stack.interval_bytes.is_none() && !stack.cut, "{stack:?}");
                    assert_eq!(stack.samples, stack.allocated.blocks);
                    sums.0 += stack.live.bytes;
                    sums.1 += stack.live.blocks;
                    sums.2 += stack.allocated.bytes;
                }
            }
            assert_eq!(sums, (live.0, live.1, allocated), "{kind}, {caller}");
        }
    }

    // Memory from before is nobody's, and its free changes no stack.
    drop(before);
    assert_eq!(stacks().stacks.iter().map(|stack| stack.live.bytes).sum::<u64>(), sum_live(&taken));

    // Freed on another thread.
    std::thread::spawn(move || drop(kept)).join().unwrap();
    let taken = stacks();
    assert!(of(&taken, "kept").iter().all(|stack| stack.live.bytes == 0 && stack.live.blocks == 0));

    // What realloc grows and moves stays with the stack that allocated it first, in whatever scope and on whatever
    // thread.
    let mut block = GROWN.scope(|| call_it(16));
    std::thread::spawn(move || {
        ASIDE.scope(|| {
            block.reserve_exact(black_box(100_000));
            block.shrink_to(50_000);
        });
        let taken = stacks();
        let [stack] = of(&taken, "grown")[..] else { panic!("{:?}", of(&taken, "grown")) };
        assert_eq!(&named(&taken, stack)[..2], ["allocate_here", "call_it"]);
        assert_eq!((stack.live.bytes, stack.live.blocks), (50_000, 1));
        drop(block);
        assert_eq!(of(&stacks(), "grown")[0].live, heapsoak_record::Blocks::default());
    })
    .join()
    .unwrap();

    // Each thread has a stack of its own: the same way on several threads is one stack.
    let blocks: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| MOVED.scope(|| call_it(300))))
        .map(|thread| thread.join().unwrap())
        .collect();
    let taken = stacks();
    let [stack] = of(&taken, "moved")[..] else { panic!("{:?}", of(&taken, "moved")) };
    assert_eq!((stack.live.bytes, stack.live.blocks), (2_400, 8));
    drop(blocks);

    // Deep ones are whole, deeper ones lose their outermost frames.
    let deep = DEEP.scope(|| (recurse(100), recurse(400), recurse(2_000)));
    let taken = stacks();
    let mut depths: Vec<(usize, bool)> = of(&taken, "deep")
        .iter()
        .map(|stack| (named(&taken, stack).iter().filter(|name| **name == "recurse").count(), stack.cut))
        .collect();
    depths.sort_unstable();
    assert_eq!(depths[..2], [(101, false), (401, false)]);
    assert!(depths[2].1 && depths[2].0 > 480, "{depths:?}");
    drop(deep);

    // Turned off, nothing more is captured, and what was is still counted down.
    let block = LATER.scope(|| call_it(77));
    capture_stacks(None, CaptureRate::Off).unwrap();
    let uncaptured = LATER.scope(|| call_it(77));
    let taken = stacks();
    assert_eq!(of(&taken, "later").iter().map(|stack| stack.live.bytes).sum::<u64>(), 77);
    drop((block, uncaptured));
    assert_eq!(of(&stacks(), "later").iter().map(|stack| stack.live.bytes).sum::<u64>(), 0);

    let heap = heap();
    assert_adds_up(&heap);
    assert_eq!(context(&heap, "later", None).allocated_bytes, 154);
    assert_eq!(taken.lost_blocks, 0);
}

fn sum_live(stacks: &Stacks) -> u64 {
    stacks.stacks.iter().map(|stack| stack.live.bytes).sum()
}
