//! Memory that time frees, and memory that time makes grow.

use super::leave;
use crate::data_quality::merge;
use crate::golden::{Recordings, add, assert_as_before};
use crate::server::{Block, Soak, Step, soak};
use heapsoak_record::Recording;

/// Each `a.wait` holds `bytes` until the clock is advanced; of a hundred blocks, so many are freed then.
fn expiring(every: u32, bytes: u64, freed: usize, leak: u64) -> Recording {
    let soak = Soak {
        cycles: 24,
        per_cycle: 60,
        advance_every: Some(every),
        ..soak(&[("a.wait", 3), ("a.other", 1)])
    };
    let (mut waiting, mut late): (Vec<Block>, Vec<Block>) = (Vec::new(), Vec::new());
    soak.run(|server, step| match step {
        Step::Request("a.wait", _) => {
            waiting.push(server.alloc("a", bytes));
            if freed == 99 {
                waiting.push(server.alloc("unscoped", bytes));
            }
            if leak > 0 {
                leave(server, "a", leak);
            }
        }
        Step::Request(..) => {
            server.churn("a", 50);
            waiting.push(server.alloc("unscoped", if freed == 98 { 9000 } else { 200 }));
        }
        Step::Advanced => {
            let all = waiting.len();
            waiting.drain(..all * freed / 100).for_each(|block| server.free(block));
            if freed > 50 {
                late.append(&mut waiting);
            }
            // Less is lost for good.
            waiting.clear();
        }
        Step::Rest => late.drain(..).for_each(|block| server.free(block)),
        Step::Start => {}
    })
}

#[test]
fn judgements_of_memory_that_waits_for_time_read_as_before() {
    let mut all = Recordings::new();
    for (every, bytes, freed, leak) in [
        (4, 4096, 100, 0),
        (4, 5000, 100, 0),
        (2, 900, 100, 0),
        (4, 40, 100, 0),
        (10, 5000, 100, 0),
        (4, 5000, 99, 0),
        (4, 5000, 98, 0),
        (4, 5000, 60, 0),
        (4, 5000, 40, 0),
        (4, 9000, 100, 80),
        (13, 5000, 100, 0),
        (3, 700, 100, 30),
    ] {
        let name = format!("{bytes} bytes, {freed} % freed every {every} cycles, {leak} stay");
        add(&mut all, &name, expiring(every, bytes, freed, leak));
    }
    let mut merged = expiring(4, 5000, 100, 0);
    merge(&mut merged);
    add(&mut all, "5000 bytes, cohorts are merged", merged);
    let mut once = expiring(13, 5000, 100, 0);
    once.snapshots.retain(|snapshot| snapshot.cycle < 21);
    add(&mut all, "5000 bytes, advanced once", once);
    assert_as_before("waiting", &all);
}

/// A server whose cycles take very different times, of its clock too if asked for.
fn uneven(clock: bool, mut at_rest: impl FnMut(&mut crate::server::Server, u64)) -> Recording {
    let mut cycle = 0_u64;
    Soak { per_cycle: 100, ..soak(&[("a.ping", 1)]) }.run(|server, step| match step {
        Step::Request(..) => server.churn("a", 100),
        Step::Rest => {
            cycle += 1;
            let took = 200 + (cycle * 7919) % 3000;
            server.elapsed_ms += took;
            server.clock_ms += if clock { took } else { 1500 };
            at_rest(server, took + 200);
        }
        Step::Start | Step::Advanced => {}
    })
}

#[test]
fn judgements_of_growth_in_the_background_read_as_before() {
    let mut all = Recordings::new();
    let entries = |each: u64| {
        move |server: &mut crate::server::Server, took: u64| {
            (0..took / each).for_each(|_| leave(server, "poller", 80));
        }
    };
    add(&mut all, "with time", uneven(true, entries(10)));
    for clock in [true, false] {
        let mut merged = uneven(clock, entries(10));
        merge(&mut merged);
        add(&mut all, &format!("with time, cohorts are merged, the clock too: {clock}"), merged);
    }
    add(&mut all, "with real time alone", uneven(false, entries(10)));
    add(&mut all, "with time, seldom", uneven(true, entries(400)));
    add(&mut all, "in every cycle", {
        uneven(true, |server, _| (0..20).for_each(|_| leave(server, "poller", 80)))
    });
    add(&mut all, "partly with time", {
        uneven(true, |server, took| (0..20 + took / 100).for_each(|_| leave(server, "poller", 80)))
    });
    add(&mut all, "with time, and cycles alike", {
        Soak { per_cycle: 100, ..soak(&[("a.ping", 1)]) }.run(|server, step| {
            if step == Step::Rest {
                (0..7).for_each(|_| leave(server, "poller", 80));
            }
        })
    });
    assert_as_before("in_the_background", &all);
}
