//! Eight ways in which soak gates in use went wrong. (The eighth, a soak test that did not exist, is a test of the command.)

use heapsoak_gate::Outcome;
use heapsoak_record::{Moment, OWN_COMPONENT, Recording, Resource, Unit};

use crate::asked::{assert_outcome, baseline_of, by_baseline, by_rules, check, run};
use crate::server::{Block, Server, Soak, Step, soak};

const KINDS: [(&str, u64); 1] = [("a.b", 1)];

/// A healthy server that allocates and frees, and holds what it holds.
fn healthy(soak: &Soak) -> Recording {
    let mut held = Vec::new();
    run(soak, |server, step| match step {
        Step::Start => held.extend((0..100).map(|_| server.alloc("a", 1_000))),
        Step::Request(..) => server.churn("a", 300),
        _ => {}
    })
}

#[test]
fn a_leak_far_below_10_percent_and_20_megabytes_does_not_pass() {
    // 200 MB held from the start, and 100 bytes more in every tenth request: 150 KB in the whole run.
    let mut held = Vec::new();
    let recording = run(&soak(&KINDS), |server, step| match step {
        Step::Start => held.extend((0..200).map(|_| server.alloc("a", 1_000_000))),
        Step::Request(_, number) if number % 10 == 0 => held.push(server.alloc("a", 100)),
        _ => {}
    });
    let (first, last) = (total(&recording, 0), total(&recording, usize::MAX));
    assert!(last - first < 20_000_000 && (last - first) * 10 < first, "the old gate would have passed it");
    let gated = by_rules(&recording, "");
    assert_outcome(&gated, Outcome::Failed);
    assert_eq!(check(&gated, "leak in a").outcome, Outcome::Failed);
}

fn total(recording: &Recording, snapshot: usize) -> u64 {
    let at = snapshot.min(recording.snapshots.len() - 1);
    recording.snapshots[at].heap.as_ref().unwrap().total_live_bytes
}

#[test]
fn a_plateau_that_comes_late_is_not_called_a_leak_and_flat_from_then_on_passes() {
    // A cache that is full after a third, or after half of the run; warm-up as a fixed tenth sees growth.
    for (full_at, cycles) in [(5_000, 30), (7_500, 30), (7_500, 60)] {
        let mut cache: Vec<Block> = Vec::new();
        let recording = run(&Soak { cycles, ..soak(&KINDS) }, |server, step| {
            if let Step::Request(..) = step {
                if cache.len() >= full_at {
                    let at = server.random(full_at as u64) as usize;
                    let old = cache.swap_remove(at);
                    server.free(old);
                }
                cache.push(server.alloc("a", 200));
            }
        });
        let gated = by_rules(&recording, "");
        assert_ne!(gated.outcome, Outcome::Failed, "full at {full_at}: {:#?}", gated.checks);
        // Full only at half of the run, it may be undecided, and then says how much longer it wants.
        if full_at * 3 <= cycles as usize * 500 {
            assert_outcome(&gated, Outcome::Passed);
        } else if gated.outcome == Outcome::Undecided {
            assert!(check(&gated, "verdict").wanted_requests.is_some_and(|wanted| wanted < 15_000));
        }
    }
}

#[test]
fn a_sawtooth_passes_wherever_its_period_is_cut() {
    for period in [1_700, 2_300, 3_100, 4_700] {
        let mut log: Vec<Block> = Vec::new();
        let recording = run(&soak(&KINDS), |server, step| {
            if let Step::Request(_, number) = step {
                if number % period == period - 1 {
                    log.drain(..).for_each(|block| server.free(block));
                }
                log.push(server.alloc("a", 500));
            }
        });
        let gated = by_rules(&recording, "");
        assert_ne!(gated.outcome, Outcome::Failed, "period {period}: {:#?}", gated.checks);
        let again = by_baseline(&recording, &baseline_of(&recording));
        assert_ne!(again.outcome, Outcome::Failed, "period {period}: {:#?}", again.checks);
    }
}

#[test]
fn one_noisy_iteration_of_the_baseline_neither_fails_the_next_run_nor_hides_a_regression() {
    let noisy = |amount: u64| {
        let mut held = Vec::new();
        let mut burst: Vec<Block> = Vec::new();
        run(&soak(&KINDS), |server, step| match step {
            Step::Start => held.extend((0..100).map(|_| server.alloc("a", 1_000))),
            // One quiet point in the middle of the run finds ten times of what is usual.
            Step::Request(_, 9_000) => burst.extend((0..900).map(|_| server.alloc("a", 1_000))),
            Step::Request(_, 9_500) => burst.drain(..).for_each(|block| server.free(block)),
            Step::Request(..) => server.churn("a", amount),
            _ => {}
        })
    };
    let baseline = baseline_of(&noisy(300));
    assert_outcome(&by_baseline(&healthy(&soak(&KINDS)), &baseline), Outcome::Passed);
    // The other way round: a good baseline, a run with a hiccup.
    assert_outcome(&by_baseline(&noisy(300), &baseline_of(&healthy(&soak(&KINDS)))), Outcome::Passed);
    // And what really got worse is still seen: three times the allocation.
    assert_outcome(&by_baseline(&noisy(900), &baseline), Outcome::Failed);
}

#[test]
fn a_fix_is_not_confirmed_while_a_second_leak_carries_the_growth() {
    let leaking = |component: &'static str, bytes: u64| {
        let mut kept = Vec::new();
        run(&soak(&KINDS), |server, step| {
            if let Step::Request(..) = step {
                server.churn("session", 64);
                server.churn("cache", 64);
                kept.push(server.alloc(component, bytes));
            }
        })
    };
    let (before, after) = (leaking("session", 400), leaking("cache", 350));
    let last = usize::MAX;
    assert!(total(&after, last) < total(&before, last), "by the total, the leak looks smaller");
    let gated = by_baseline(&after, &baseline_of(&before));
    assert_outcome(&gated, Outcome::Failed);
    assert_eq!(check(&gated, "baseline of session").outcome, Outcome::Passed);
    let cache = check(&gated, "baseline of cache");
    assert!(cache.says.contains("was stable before"), "{}", cache.says);
}

#[test]
fn a_harness_that_grows_itself_is_not_held_against_the_server() {
    let mut own = Vec::new();
    let mut recording = run(&soak(&KINDS), |server, step| {
        if let Step::Request(..) = step {
            own.push(server.alloc(OWN_COMPONENT, 4_096));
            server.churn("a", 300);
        }
    });
    // The process's own memory goes up along with it.
    for (index, snapshot) in recording.snapshots.iter_mut().enumerate() {
        let value = 50_000_000 + 2_000_000 * index as u64;
        snapshot.resources.push(Resource { name: "rss".to_owned(), value, unit: Unit::Bytes });
    }
    assert_outcome(&by_rules(&recording, ""), Outcome::Passed);
}

#[test]
fn missing_data_close_the_gate_and_are_named() {
    type Damage = fn(&mut Recording);
    let cases: [(&str, Damage); 6] = [
        ("positive control", |recording| recording.events.clear()),
        ("data", |recording| {
            recording.snapshots.remove(10);
        }),
        ("data", |recording| {
            for snapshot in &mut recording.snapshots {
                snapshot.heap = None;
            }
        }),
        ("data", |recording| recording.snapshots[7].quiet = false),
        ("data", |recording| recording.snapshots.truncate(7)),
        ("data", |recording| recording.end = None),
    ];
    for (number, (name, damage)) in cases.into_iter().enumerate() {
        let mut recording = healthy(&soak(&KINDS));
        assert_outcome(&by_rules(&recording, ""), Outcome::Passed);
        damage(&mut recording);
        let gated = by_rules(&recording, "");
        assert_eq!(gated.outcome, Outcome::Invalid, "case {number}: {:#?}", gated.checks);
        assert_eq!(check(&gated, name).outcome, Outcome::Invalid, "case {number}");
        assert!(!check(&gated, name).says.is_empty());
    }
}

#[test]
fn a_component_that_a_budget_or_a_baseline_names_and_the_run_lacks_closes_the_gate() {
    let recording = healthy(&soak(&KINDS));
    let gated = by_rules(&recording, "[budget.component.sesion]\npeak = 5");
    assert_outcome(&gated, Outcome::Invalid);
    assert!(check(&gated, "budget of sesion").says.contains("it has a"), "{:#?}", gated.checks);
    let more = run(&soak(&KINDS), |server, step| {
        if let Step::Request(..) = step {
            server.churn("a", 300);
            server.churn("b", 300);
        }
    });
    assert_outcome(&by_baseline(&recording, &baseline_of(&more)), Outcome::Invalid);
}

#[test]
fn under_99_percent_landed_closes_the_gate() {
    let failing = |every: u64| {
        let fail = |server: &mut Server, step: Step<'_>| {
            if matches!(step, Step::Request(_, number) if number % every == 0) {
                server.fail();
            }
            if matches!(step, Step::Request(..)) {
                server.churn("a", 10);
            }
        };
        by_rules(&run(&soak(&KINDS), fail), "")
    };
    assert_outcome(&failing(50), Outcome::Invalid);
    assert_outcome(&failing(200), Outcome::Passed);
}

#[test]
fn the_moments_of_the_model_are_those_of_a_real_run() {
    let recording = healthy(&soak(&KINDS));
    assert_eq!(recording.snapshots[0].moment, Moment::Baseline);
    assert_eq!(recording.snapshots.len(), 31);
}
