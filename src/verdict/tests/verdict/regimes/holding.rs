//! Resources other than the heap.

use super::{each, leave, short};
use crate::golden::{Recordings, add, assert_judged_as_before, assert_resources_as_before};
use crate::server::{Server, Soak, Step, soak};
use heapsoak_record::{Recording, Unit};

const SIX: [(&str, u64); 6] = [
    ("a.one", 40),
    ("a.two", 30),
    ("b.one", 40),
    ("c.one", 20),
    ("process.ok", 20),
    ("process.grandchild", 10),
];

fn six() -> Soak {
    Soak { cycles: 24, per_cycle: 100, ..soak(&SIX) }
}

fn open(server: &mut Server, name: &'static str, number: u64) {
    *server.resources.entry(name).or_insert(4) += number;
}

/// One resource, with its value at the end of each cycle.
fn counted(cycles: u32, value: impl Fn(u64) -> u64) -> Recording {
    let mut cycle = 0;
    short(cycles, 50).run(|server, step| {
        cycle += u64::from(step == Step::Rest);
        server.resources.insert("threads", value(cycle));
    })
}

#[test]
fn judgements_of_resources_read_as_before() {
    let mut all = Recordings::new();
    add(
        &mut all,
        "descriptors of one kind",
        each(&six(), |server, kind, _| open(server, "fds.pipe", 2 * u64::from(kind == "process.grandchild"))),
    );
    add(
        &mut all,
        "heap, descriptors and processes of one kind",
        each(&six(), |server, kind, _| {
            let grandchild = u64::from(kind == "process.grandchild");
            if grandchild > 0 {
                leave(server, "process", 8000);
                leave(server, "unscoped", 300);
            }
            open(server, "fds.pipe", 2 * grandchild);
            open(server, "children", grandchild);
        }),
    );
    add(
        &mut all,
        "descriptors of two kinds, heap of one",
        each(&six(), |server, kind, _| {
            if kind == "a.one" {
                leave(server, "a", 70);
            }
            open(server, "fds.file", u64::from(kind == "a.one" || kind == "c.one"));
            open(server, "tasks", u64::from(kind == "b.one"));
        }),
    );
    add(
        &mut all,
        "descriptors of every kind, and heap of two",
        each(&six(), |server, kind, _| {
            if kind == "a.one" || kind == "b.one" {
                leave(server, "a", 70);
            }
            open(server, "fds.file", 1);
            open(server, "tasks", 2);
        }),
    );
    let background = six().run(|server, step| open(server, "fds.socket", 5 * u64::from(step == Step::Rest)));
    add(&mut all, "in the background", background);
    for (advance_every, closed) in [(5, 3), (2, 3), (5, 1)] {
        let mut waiting = 0;
        let recording = Soak { advance_every: Some(advance_every), ..six() }.run(|server, step| {
            let held = match step {
                Step::Request("process.ok", _) => {
                    waiting += closed;
                    3
                }
                Step::Request("process.grandchild", _) => 2,
                Step::Advanced => -std::mem::take(&mut waiting),
                _ => 0,
            };
            let fds = server.resources.entry("fds.pipe").or_insert(4);
            *fds = fds.checked_add_signed(held).expect("no more is closed than was opened");
        });
        add(
            &mut all,
            &format!("{closed} of 3 wait for time, advanced every {advance_every} cycles"),
            recording,
        );
    }
    let rare = each(&six(), |server, _, _| {
        let event = u64::from(server.random(300) == 0);
        open(server, "fds.file", event);
        open(server, "children", 3 * event);
    });
    add(&mut all, "seldom, two together", rare);
    assert_judged_as_before("resources", &all);
}

#[test]
fn judgements_of_counts_read_as_before() {
    let mut all = Recordings::new();
    add(&mut all, "levels at 40", counted(30, |cycle| (3 + 4 * cycle).min(40)));
    add(&mut all, "levels late", counted(30, |cycle| (3 + cycle).min(24)));
    add(&mut all, "rises by two", counted(30, |cycle| 3 + cycle / 14));
    add(&mut all, "rises by three", counted(30, |cycle| 3 + cycle / 10));
    add(&mut all, "rises by exactly three", counted(30, |cycle| 3 + cycle / 9));
    add(&mut all, "levels in the last third", counted(30, |cycle| (3 + cycle).min(25)));
    add(&mut all, "rises by four", counted(30, |cycle| 3 + cycle / 7));
    add(&mut all, "rises in two steps", counted(30, |cycle| 3 + 4 * (cycle / 12)));
    add(&mut all, "rises in every cycle", counted(30, |cycle| 3 + cycle));
    add(&mut all, "rises in seven cycles", counted(7, |cycle| 3 + cycle));
    add(&mut all, "rises in eight cycles", counted(8, |cycle| 3 + cycle));
    add(&mut all, "rises slower", counted(30, |cycle| 3 + (40 * cycle).isqrt()));
    add(&mut all, "rises much slower", counted(40, |cycle| 3 + 30 * cycle / (cycle + 6)));
    add(&mut all, "rises and falls", counted(30, |cycle| 40 - cycle.abs_diff(20)));
    add(&mut all, "falls", counted(30, |cycle| 80 - cycle));
    add(&mut all, "is seen for a moment", counted(30, |cycle| 8 * u64::from(matches!(cycle, 9 | 22 | 30))));
    add(&mut all, "wanders", counted(30, |cycle| 3 + cycle * cycle * 7 % 11));
    add(&mut all, "wanders upwards", counted(30, |cycle| 3 + cycle * cycle * 7 % 11 + cycle / 4));
    let mut cycle = 0;
    let closed = Soak { advance_every: Some(10), ..short(30, 50) }.run(|server, step| {
        cycle += u64::from(step == Step::Rest);
        let fds = server.resources.entry("fds.pipe").or_insert(5);
        match step {
            Step::Rest => *fds += 12,
            Step::Advanced => *fds = 5 + cycle / 10,
            _ => {}
        }
    });
    add(&mut all, "is closed by time", closed);
    let mut late = counted(12, |cycle| 3 + cycle);
    late.snapshots.iter_mut().take(5).for_each(|snapshot| snapshot.resources.clear());
    late.snapshots[9].resources.clear();
    add(&mut all, "is not always there", late);
    for rss in [30_000, 1_000_000] {
        let mut shown = counted(20, |cycle| 8_000_000 + rss * cycle);
        let threads = shown.snapshots.iter_mut().flat_map(|snapshot| &mut snapshot.resources);
        threads.for_each(|resource| {
            resource.unit = Unit::Bytes;
            "rss".clone_into(&mut resource.name);
        });
        add(&mut all, &format!("is {rss} more bytes each cycle"), shown);
    }
    assert_judged_as_before("counts", &all);
}

#[test]
fn judgements_of_resources_that_many_kinds_hold_read_as_before() {
    let mut all = Recordings::new();
    for (kinds, cycles, one_in) in [(6, 24, 3), (6, 24, 30), (6, 12, 1), (6, 11, 1), (5, 10, 1), (5, 9, 1)] {
        let soak = Soak { cycles, per_cycle: 100, ..soak(&SIX[..kinds]) };
        let recording = each(&soak, |server, kind, _| {
            leave(server, "heap", 60);
            leave(server, "unscoped", 20);
            let event = u64::from(server.random(one_in) == 0);
            open(server, "fds.file", event);
            open(server, "tasks", if kind == "a.one" { 4 * event } else { 1 });
        });
        add(&mut all, &format!("{kinds} kinds, one request in {one_in}, {cycles} cycles"), recording);
    }
    for seed in 1..7 {
        let soak = Soak { cycles: 14, per_cycle: 60, seed, ..soak(&SIX) };
        let recording = each(&soak, |server, kind, _| {
            if kind == "a.two" {
                leave(server, "a", 60);
                let event = u64::from(server.random(3) == 0);
                open(server, "fds.file", event);
            }
            let noise = server.random(4);
            open(server, "fds.file", noise / 3);
        });
        add(&mut all, &format!("one kind among noise, seed {seed}"), recording);
    }
    for noise in [20, 300] {
        let mut passing = 0;
        let soak = Soak { advance_every: Some(2), ..six() };
        let recording = soak.run(|server, step| match step {
            Step::Request("process.grandchild", _) => {
                open(server, "fds.pipe", 2);
                open(server, "fds.socket", 2);
                let odd = server.clock_ms % 3;
                open(server, "fds.other", odd);
            }
            Step::Rest => {
                let more = server.random(noise);
                passing += more;
                open(server, "fds.socket", more);
            }
            Step::Advanced => {
                *server.resources.entry("fds.socket").or_insert(0) -= std::mem::take(&mut passing);
            }
            _ => {}
        });
        add(&mut all, &format!("drowned between the advances by {noise}"), recording);
    }
    let mut along = each(&six(), |server, kind, _| {
        let grandchild = u64::from(kind == "process.grandchild");
        open(server, "fds.pipe", 2 * grandchild);
        open(server, "rss", 9_000 * grandchild);
    });
    let resources = along.snapshots.iter_mut().flat_map(|snapshot| &mut snapshot.resources);
    resources.filter(|resource| resource.name == "rss").for_each(|rss| rss.unit = Unit::Bytes);
    add(&mut all, "beside bytes of the process that grow along", along);
    assert_resources_as_before("resources_of_many_kinds", &all);
}
