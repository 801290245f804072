//! A soak counts what its steps leave, to the byte, by kind and by time. One test, since a process has one probe and
//! what tests on other threads allocate would be counted, too.

use std::time::Duration;

use heapsoak_corpus::{Amount, Soak, Trial, cases};
use heapsoak_probe::Probe;
use heapsoak_record::Moment;
use heapsoak_verdict::{ComponentVerdict, RunVerdict};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

fn a_leak_on_one_kind_is_charged_to_it_to_the_byte() {
    let soak = Soak::new("orders").kinds(&[("order.valid", 3), ("order.invalid", 1)]).cycles(20);
    let kinds = soak.clone();
    let mut kept = Vec::with_capacity(100_000);
    let outcome = soak.run(async |step| {
        let order = vec![0_u8; 48].into_boxed_slice();
        if kinds.kind_of(step) == 1 {
            kept.push(order);
        }
    });
    let judgement = &outcome.judgement;
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    assert_eq!(judgement.findings[0].triggered_by, ["order.invalid"]);
    let per_kind =
        judgement.findings[0].growth_bytes_per_1000_triggering_requests.expect("the soak gives it");
    assert!((per_kind.estimate - 48_000.0).abs() < 1e-6, "{per_kind:?}");
    let last = outcome.recording.snapshots.last().expect("the soak gives it");
    let heap = last.heap.as_ref().expect("the soak gives it");
    let live: u64 = heap
        .contexts
        .iter()
        .filter(|context| context.component() == "orders")
        .map(heapsoak_record::ContextHeap::live_bytes)
        .sum();
    assert_eq!(live, 48 * kept.len() as u64);
}

fn steps_that_keep_nothing_are_clean_and_the_soak_is_as_long_as_planned() {
    let outcome = Soak::new("nothing").cycles(12).steps_per_cycle(30).run(async |step| {
        std::hint::black_box(vec![step; 10]);
        tokio::task::yield_now().await;
    });
    assert_eq!(outcome.judgement.verdict, RunVerdict::Clean, "{:?}", outcome.judgement.reasons);
    let last = outcome.recording.snapshots.last().expect("the soak gives it");
    assert_eq!((last.cycle, last.requests, last.quiet), (12, 360, true));
}

fn the_clock_is_advanced_and_what_it_frees_is_seen() {
    let outcome = Soak::new("clock").cycles(10).advance_clock(Duration::from_secs(60), 2).run(async |_| ());
    let advanced: Vec<u32> = outcome
        .recording
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.moment == Moment::AfterAdvance)
        .map(|snapshot| snapshot.cycle)
        .collect();
    assert_eq!(advanced, [2, 4, 6, 8, 10]);
    assert!(outcome.recording.snapshots.last().expect("the soak gives it").clock_ms >= 300_000);
}

fn a_case_leaks_with_its_fault_and_not_without() {
    let case =
        cases().into_iter().find(|case| case.name == "session never removed").expect("the soak gives it");
    for faulty in [true, false] {
        let outcome = (case.run)(Trial::new(5, Amount::each(64), faulty));
        let expected = if faulty { RunVerdict::Leak } else { RunVerdict::Clean };
        assert_eq!(outcome.judgement.verdict, expected, "{:?}", outcome.judgement.reasons);
        let verdict = outcome.judgement.component("case").expect("the soak gives it").verdict;
        assert_eq!(verdict == ComponentVerdict::Leak, faulty);
    }
}

#[test]
fn a_soak_counts_what_its_steps_leave() {
    // The later ones show that a soak does not mind what an earlier one left.
    a_leak_on_one_kind_is_charged_to_it_to_the_byte();
    steps_that_keep_nothing_are_clean_and_the_soak_is_as_long_as_planned();
    the_clock_is_advanced_and_what_it_frees_is_seen();
    a_case_leaks_with_its_fault_and_not_without();
}
