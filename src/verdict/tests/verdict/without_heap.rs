//! Servers without the probe: their memory is all that is known.

use heapsoak_record::{Recording, Unit};
use heapsoak_verdict::{ComponentVerdict, Judgement, Pattern, RunVerdict, judge};

use crate::golden::{Recordings, add, assert_judged_as_before};
use crate::server::{Server, Step, soak};

const MIB: u64 = 1 << 20;

/// A recording of a server that can only be looked at: what `step` puts into its resources are bytes.
fn from_outside(name: &'static str, start: u64, step: impl Fn(&mut Server, Step<'_>, &mut u64)) -> Recording {
    let mut level = start;
    let mut recording = soak(&[("a.read", 3), ("a.keep", 1)]).run(|server, what| {
        step(server, what, &mut level);
        server.resources.insert(name, level);
    });
    for snapshot in &mut recording.snapshots {
        snapshot.heap = None;
        for resource in &mut snapshot.resources {
            resource.unit = Unit::Bytes;
        }
    }
    recording
}

fn verdict(judgement: &Judgement, name: &str) -> ComponentVerdict {
    judgement.resource(name).expect("it was recorded").verdict
}

#[test]
fn a_collected_heap_that_grows_with_one_kind_is_a_leak_of_that_kind() {
    let judgement = judge(&from_outside("heap.v8.used", 4 * MIB, |server, step, level| {
        if let Step::Request(kind, _) = step {
            *level += if kind == "a.keep" { 1000 } else { 0 };
            // What the engine learns and forgets.
            *level = *level + server.random(20) - 9;
        }
    }));
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!(
        (finding.pattern, finding.triggered_by.as_slice()),
        (Pattern::UnboundedGrowth, &["a.keep".to_owned()][..])
    );
    let grown = finding.growth_bytes_per_1000_requests.estimate;
    assert!((grown - 250_000.0).abs() < 25_000.0, "{grown}");
    let combined = judgement.combined_impact_at_10000_requests_bytes;
    assert!((combined - 10.0 * grown).abs() < 1.0, "{combined}");
}

#[test]
fn memory_of_a_process_that_levels_is_bounded_and_the_run_clean() {
    let judgement = judge(&from_outside("private", 40 * MIB, |_, step, level| {
        if let Step::Request(..) = step {
            // Half of the way to its plateau within every few hundred requests.
            *level += (80 * MIB - *level) / 500;
        }
    }));
    assert_eq!(verdict(&judgement, "private"), ComponentVerdict::Bounded);
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
}

#[test]
fn memory_that_wanders_by_less_than_an_allocators_habits_is_stable() {
    let judgement = judge(&from_outside("private", 40 * MIB, |server, step, level| {
        if let Step::Request(..) = step {
            *level = 40 * MIB + server.random(3 * MIB);
        }
    }));
    assert_eq!(verdict(&judgement, "private"), ComponentVerdict::Stable);
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    let limit = judgement.resource("private").unwrap().minimum_detectable_per_1000_requests;
    assert!(limit > 1e5, "the limit says what less would have gone unnoticed: {limit}");
}

#[test]
fn where_a_heap_is_known_the_memory_of_the_process_is_only_shown() {
    let mut recording = from_outside("heap.v8.used", 4 * MIB, |_, _, _| {});
    for (index, snapshot) in recording.snapshots.iter_mut().enumerate() {
        let mut rss = snapshot.resources[0].clone();
        "private".clone_into(&mut rss.name);
        rss.value = 40 * MIB + 3 * MIB * index as u64;
        snapshot.resources.push(rss);
    }
    let judgement = judge(&recording);
    assert_eq!(verdict(&judgement, "private"), ComponentVerdict::Inconclusive);
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
}

#[test]
fn judgements_of_servers_without_the_probe_read_as_before() {
    let mut all = Recordings::new();
    for name in ["heap.v8.used", "private", "rss", "jemalloc.active"] {
        for kept in [1000, 3000] {
            let recording = from_outside(name, 4 * MIB, |server, step, level| {
                if let Step::Request(kind, _) = step {
                    *level += if kind == "a.keep" { kept } else { 0 };
                    *level = *level + server.random(20) - 9;
                }
            });
            add(&mut all, &format!("{name} keeps {kept} bytes of one kind"), recording);
        }
    }
    for (name, start, rise) in
        [("heap.v8.used", 4, 9), ("heap.v8.used", 40, 30), ("private", 40, 270), ("private", 80, 400)]
    {
        let recording = from_outside(name, start * MIB, |server, step, level| {
            if step == Step::Rest {
                *level += rise * 1024 + server.random(900);
            }
        });
        add(&mut all, &format!("{name} rises from {start} MiB by {rise} KiB a cycle"), recording);
    }
    let mut several = from_outside("heap.v8.used", 4 * MIB, |_, step, level| {
        *level += 20_000 * u64::from(step == Step::Rest);
    });
    for (index, snapshot) in several.snapshots.iter_mut().enumerate() {
        for (name, each) in [("rss", 3 * MIB), ("heap.v8.external", 4000), ("private", MIB)] {
            let mut more = snapshot.resources[0].clone();
            name.clone_into(&mut more.name);
            more.value = 40 * MIB + each * index as u64;
            snapshot.resources.push(more);
        }
    }
    add(&mut all, "of several figures", several.clone());
    for snapshot in &mut several.snapshots {
        snapshot.resources.remove(0);
        snapshot.resources.remove(1);
    }
    add(&mut all, "without a heap's own", several);
    assert_judged_as_before("without_heap", &all);
}
