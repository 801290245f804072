//! Allocation out of proportion.

use super::{each, leave, short};
use crate::golden::{Recordings, add, assert_judged_as_before};
use crate::server::{Soak, Step, soak};
use heapsoak_record::Recording;

/// Each `cache.hit` allocates by the number of requests so far.
fn cache(bytes: impl Fn(u64) -> u64) -> Recording {
    let soak = Soak { cycles: 24, per_cycle: 60, ..soak(&[("cache.hit", 9), ("cache.miss", 1)]) };
    soak.run(|server, step| match step {
        Step::Start => {
            server.gauges.insert("cache.entries", 5);
            server.gauges.insert("cache.falls", 5000);
            server.gauges.insert("cache.still", 7);
            server.gauges.insert("another.entries", 5);
        }
        Step::Request(kind, number) => {
            if kind == "cache.hit" {
                server.churn("cache", bytes(number));
            }
            server.gauges.insert("cache.entries", 5 + number as i64);
            server.gauges.insert("cache.falls", 5000 - number as i64);
            server.gauges.insert("another.entries", 5 + number as i64);
            server.gauges.insert("cache.clients", 5 + (number / 60) as i64);
        }
        Step::Rest | Step::Advanced => {}
    })
}

#[test]
fn judgements_of_churn_read_as_before() {
    let mut all = Recordings::new();
    add(&mut all, "grows with the entries", cache(|number| 200 + 4 * number));
    add(&mut all, "grows with the entries to less than a KiB", cache(|number| 20 + number / 2));
    add(&mut all, "grows by less than twice", cache(|number| 3000 + 2 * number));
    add(&mut all, "grows by more than twice", cache(|number| 1500 + 2 * number));
    add(&mut all, "grows, and much", cache(|number| 1_000_000 + 4000 * number));
    add(&mut all, "is 900 KiB", cache(|_| 900 << 10));
    add(&mut all, "is a MiB", cache(|_| 1 << 20));
    add(&mut all, "is 2 MiB", cache(|_| 2 << 20));
    add(&mut all, "is 5 MiB", cache(|_| 5 << 20));
    add(&mut all, "goes up and down", cache(|number| 1000 + 900 * (number / 60 % 7)));
    add(&mut all, "doubles in the middle", cache(|number| if number < 800 { 1200 } else { 2600 }));
    add(
        &mut all,
        "on two kinds, one of which leaks",
        each(
            &Soak { cycles: 20, per_cycle: 60, ..soak(&[("a.b", 1), ("a.c", 1)]) },
            |server, kind, number| {
                if kind == "a.b" {
                    leave(server, "a", 900);
                    server.churn("a", 300 + 3 * number);
                } else {
                    server.churn("a", 3 << 20);
                }
            },
        ),
    );
    let outside = each(&short(20, 60), |server, _, _| {
        leave(server, "unscoped", 90);
        server.churn("a", 3 << 20);
    });
    add(&mut all, "beside a leak outside any component", outside);
    for leak in [20_000, 10_000] {
        add(
            &mut all,
            &format!("what is kept is no churn, {leak}"),
            each(&short(20, 60), |server, _, _| {
                leave(server, "a", leak);
                server.churn("a", 1_500_000);
            }),
        );
    }
    let rare = each(
        &Soak { cycles: 24, per_cycle: 60, ..soak(&[("a.b", 40), ("a.c", 1)]) },
        |server, kind, number| {
            if kind == "a.c" {
                server.churn("a", 2000 + 40 * number);
            }
            let wobbles = server.random(400 + number);
            server.gauges.insert("a.wobbles", wobbles as i64);
        },
    );
    add(&mut all, "on a rare kind, beside a gauge that wobbles", rare);
    for cycles in [7, 8] {
        let recording = each(&short(cycles, 60), |server, _, number| server.churn("a", 100 + 40 * number));
        add(&mut all, &format!("in a run of {cycles} cycles"), recording);
    }
    assert_judged_as_before("churn", &all);
}
