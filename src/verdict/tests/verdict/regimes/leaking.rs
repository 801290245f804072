//! Leaks: frequent and rare, large and small, alone and beside others.

use std::collections::VecDeque;

use super::{each, leave, short};
use crate::golden::{Recordings, add, assert_as_before};
use crate::server::{Block, Soak, Step, soak};

#[test]
fn judgements_of_leaks_read_as_before() {
    let mut all = Recordings::new();
    let plain = short(30, 200);
    add(
        &mut all,
        "every request",
        each(&plain, |server, _, _| {
            server.churn("a", 500);
            leave(server, "a", 64);
        }),
    );
    for every in [50, 400, 900, 1500, 3000] {
        add(
            &mut all,
            &format!("one request in {every}"),
            each(&plain, |server, _, _| {
                if server.random(every) == 0 {
                    leave(server, "a", 500);
                }
            }),
        );
    }
    for (cycles, every) in [(40, 700), (30, 250), (30, 450)] {
        add(
            &mut all,
            &format!("every {every}th request of {cycles} cycles, a large block"),
            each(&short(cycles, 200), |server, _, number| {
                if number % every == every - 1 {
                    leave(server, "a", 64_000);
                }
            }),
        );
    }
    for bytes in [63, 64, 65] {
        add(
            &mut all,
            &format!("{bytes} bytes per 1,000 requests"),
            each(&short(30, 1000), |server, _, number| {
                if number % 100 == 99 {
                    leave(server, "a", if number % 1000 == 999 { bytes - 54 } else { 6 });
                }
            }),
        );
    }
    for pause in [600..700, 1000..1600] {
        add(
            &mut all,
            &format!("a pause in {pause:?}"),
            each(&short(60, 100), |server, _, number| {
                if server.random(8) == 0 && !pause.contains(&number) {
                    leave(server, "a", 64);
                }
            }),
        );
    }
    for cycles in [5, 7, 8, 9, 12] {
        add(
            &mut all,
            &format!("{cycles} cycles"),
            each(&short(cycles, 100), |server, _, number| {
                if number % 3 == 0 {
                    leave(server, "a", 100);
                }
            }),
        );
    }
    for at_a_time in [4, 20] {
        add(
            &mut all,
            &format!("{at_a_time} blocks at a time"),
            each(&plain, |server, _, _| {
                if server.random(120) == 0 {
                    (0..at_a_time).for_each(|_| leave(server, "a", 48));
                }
            }),
        );
    }
    assert_as_before("leaks", &all);
}

#[test]
fn judgements_of_leaks_beside_other_memory_read_as_before() {
    let mut all = Recordings::new();
    let plain = short(30, 200);
    let mut window = VecDeque::new();
    add(
        &mut all,
        "in a sawtooth",
        each(&plain, |server, _, _| {
            window.push_back(server.alloc("a", 4000));
            if window.len() > 700 {
                window.drain(..600).for_each(|block| server.free(block));
            }
            leave(server, "a", 48);
        }),
    );
    let mut start_up = Vec::new();
    let falling = plain.run(|server, step| match step {
        Step::Start => start_up = (0..1000).map(|_| server.alloc("a", 10_000)).collect(),
        Step::Request(..) => leave(server, "a", 64),
        Step::Rest => {
            start_up.drain(start_up.len().saturating_sub(30)..).for_each(|block| server.free(block));
        }
        Step::Advanced => {}
    });
    add(&mut all, "while the total falls", falling);
    for made_once in [60, 2000] {
        add(
            &mut all,
            &format!("beside {made_once} blocks made once"),
            each(&plain, |server, _, number| {
                if number == 2_500 {
                    (0..made_once).for_each(|_| leave(server, "a", 100));
                }
                if number % 50 == 0 {
                    leave(server, "a", 100);
                }
            }),
        );
    }
    let (mut table, mut entries, mut capacity): (Option<Block>, u64, u64) = (None, 0, 0);
    let strings = each(&plain, |server, _, _| {
        leave(server, "a", 64);
        entries += 1;
        if entries > capacity {
            capacity = (2 * capacity).max(4);
            let larger = server.alloc("a", 40 * capacity);
            if let Some(old) = table.replace(larger) {
                server.free(old);
            }
        }
    });
    add(&mut all, "strings in a table that doubles", strings);
    let mut errors = soak(&[("a.ok", 20), ("a.cancel", 5), ("a.slow", 5), ("a.fail", 4)]);
    (errors.cycles, errors.per_cycle, errors.errors) = (24, 150, vec!["a.fail"]);
    add(
        &mut all,
        "an error path",
        each(&errors, |server, kind, _| {
            server.churn("a", 2000);
            if kind == "a.fail" {
                leave(server, "a", 450);
            }
        }),
    );
    add(
        &mut all,
        "an error path and others",
        each(&errors, |server, kind, _| {
            if kind != "a.ok" {
                leave(server, "a", 450);
            }
        }),
    );
    errors.errors = vec!["a.fail", "a.cancel", "a.slow"];
    for (kinds, of) in [(1, 3), (1, 2), (2, 4), (1, 4)] {
        errors.kinds = [("a.fail", 4), ("a.cancel", 5), ("a.ok", 20), ("a.slow", 5)][..of].to_vec();
        let leaking = ["a.fail", "a.cancel"][..kinds].to_vec();
        let mut recording = each(&errors, |server, kind, _| {
            server.churn("a", 2000);
            if leaking.contains(&kind) {
                leave(server, "a", 450);
            }
        });
        add(&mut all, &format!("{kinds} error paths of {of} kinds"), recording.clone());
        for share in [2, 4] {
            let counts = recording.snapshots.iter_mut().flat_map(|snapshot| &mut snapshot.kinds);
            counts.for_each(|count| count.expected_errors = count.sent / share);
            if of == 3 {
                add(&mut all, &format!("one path of {of} with an error in {share}"), recording.clone());
            }
        }
    }
    for (few, many) in [(100, 399), (100, 410)] {
        add(
            &mut all,
            &format!("{few} and {many} bytes on two kinds"),
            each(
                &Soak { cycles: 20, per_cycle: 120, ..soak(&[("a.few", 5), ("a.many", 2)]) },
                |server, kind, _| {
                    leave(server, "a", if kind == "a.few" { few } else { many });
                },
            ),
        );
    }
    add(
        &mut all,
        "outside any component, too",
        each(&Soak { cycles: 20, per_cycle: 120, ..soak(&[("a.b", 3), ("c.d", 1)]) }, |server, kind, _| {
            leave(server, "unscoped", if kind == "a.b" { 90 } else { 700 });
            if kind == "a.b" {
                leave(server, "a", 333);
            }
        }),
    );
    let mut limited = each(&plain, |server, _, _| {
        leave(server, "a", 700);
        server.resources.insert("rss", 50_000_000);
    });
    limited.header.target.memory_limit_bytes = Some(64_000_000);
    for snapshot in &mut limited.snapshots {
        snapshot.resources.iter_mut().for_each(|rss| rss.unit = heapsoak_record::Unit::Bytes);
    }
    add(&mut all, "with a memory limit", limited);
    assert_as_before("leaks_beside_other_memory", &all);
}
