//! What survivors per cohort do not show: growth in place, tables that double, growth that slows down, queues.

use std::collections::{BTreeSet, VecDeque};

use super::{each, leave, short};
use crate::golden::{Recordings, add, assert_as_before};
use crate::server::{Block, Step};
use heapsoak_record::Recording;

/// A log that is made at the start, and grows in place at some requests.
fn log(grows: impl Fn(u64) -> u64) -> Recording {
    let mut log = None;
    short(30, 120).run(|server, step| match step {
        Step::Start => log = Some(server.alloc("a", 4096)),
        Step::Request(_, number) => {
            let log = log.as_mut().expect("made at the start");
            match grows(number) {
                0 => {}
                by => server.grow(log, by),
            }
            server.churn("a", 100);
        }
        Step::Rest | Step::Advanced => {}
    })
}

#[test]
fn judgements_of_growth_in_place_read_as_before() {
    let mut all = Recordings::new();
    add(&mut all, "at every request", log(|_| 32));
    add(&mut all, "in every second cycle", log(|number| u64::from(number % 240 == 7) * 500));
    add(&mut all, "in every third cycle", log(|number| u64::from(number % 360 == 7) * 2000));
    add(
        &mut all,
        "in the first third and the last",
        log(|number| u64::from(!(1000..2700).contains(&number)) * 9),
    );
    add(&mut all, "in every fifth cycle", log(|number| u64::from(number % 600 == 7) * 2000));
    add(&mut all, "in four cycles of five", log(|number| u64::from(number / 120 % 5 != 0) * 9));
    add(&mut all, "in three cycles of four", log(|number| u64::from(number / 120 % 4 != 0) * 9));
    add(&mut all, "until half of the run", log(|number| u64::from(number < 1800) * 40));
    add(&mut all, "ever more slowly", log(|number| 60 - number / 60));
    add(&mut all, "ever more slowly, to a third", log(|number| 60 - number / 90));
    add(&mut all, "in the last third", log(|number| u64::from(number > 2400) * 40));
    let mut buffers: Vec<Block> = Vec::new();
    let passing = each(&short(30, 120), |server, _, number| {
        if number % 40 == 0 {
            buffers.push(server.alloc("a", 1000));
        }
        if let Some(buffer) = buffers.last_mut() {
            server.grow(buffer, 30);
        }
        if buffers.len() > 9 {
            server.free(buffers.remove(0));
        }
    });
    add(&mut all, "buffers that are filled and given up", passing);
    let mut log = None;
    let leak_and_log = short(30, 120).run(|server, step| match step {
        Step::Start => log = Some(server.alloc("a", 64)),
        Step::Request(_, number) => {
            leave(server, "a", 40);
            if number < 2_900 {
                server.grow(log.as_mut().expect("made at the start"), 30);
            }
        }
        Step::Rest | Step::Advanced => {}
    });
    add(&mut all, "nearly to the end of the run, beside a leak", leak_and_log);
    let mut shrinks: Option<Block> = None;
    let shrinking = short(20, 120).run(|server, step| match step {
        Step::Start => shrinks = Some(server.alloc("a", 90_000)),
        Step::Request(_, number) => {
            server.resize(shrinks.as_mut().expect("made at the start"), 90_000 - 30 * number);
            if number % 300 == 0 {
                leave(server, "a", 1_000);
            }
        }
        Step::Rest | Step::Advanced => {}
    });
    add(&mut all, "shrinks in place", shrinking);
    let mut list: Option<Block> = None;
    let leaking_too = short(30, 120).run(|server, step| match step {
        Step::Start => list = Some(server.alloc("a", 64)),
        Step::Request(..) => {
            leave(server, "a", 40);
            server.grow(list.as_mut().expect("made at the start"), 8);
        }
        Step::Rest | Step::Advanced => {}
    });
    add(&mut all, "a list of what leaks", leaking_too);
    assert_as_before("growth_in_place", &all);
}

/// A table that is made anew, `factor` times as large, whenever it is full; entries come until there are `keys`.
fn table(cycles: u32, keys: u64, factor: u64, beside: u64) -> Recording {
    let (mut room, mut table): (u64, Option<Block>) = (4, None);
    let mut held = VecDeque::new();
    each(&short(cycles, 300), |server, _, number| {
        if number.min(keys) >= room {
            room *= factor;
            let larger = server.alloc("a", 64 * room);
            if let Some(old) = table.replace(larger) {
                server.free(old);
            }
        }
        if beside > 0 {
            held.push_back(server.alloc("a", beside));
            if held.len() > 400 {
                server.free(held.pop_front().expect("it is not empty"));
            }
        }
    })
}

#[test]
fn judgements_of_tables_read_as_before() {
    let mut all = Recordings::new();
    for cycles in [28, 30, 36, 40, 41, 48, 54] {
        add(&mut all, &format!("doubles, {cycles} cycles"), table(cycles, u64::MAX, 2, 0));
    }
    add(&mut all, "triples", table(40, u64::MAX, 3, 0));
    add(&mut all, "is full in the middle", table(36, 4_000, 2, 0));
    add(&mut all, "doubles beside other memory", table(36, u64::MAX, 2, 150));
    add(&mut all, "doubles beside much other memory", table(36, u64::MAX, 2, 900));
    let (mut room, mut held): (u64, Option<Block>) = (4, None);
    let shrinks = each(&short(36, 300), |server, _, number| {
        if number == 3000 {
            room = 2000;
        }
        if number >= room || number == 3000 {
            room *= 2;
            let larger = server.alloc("a", if number == 3000 { 64 } else { 64 * room });
            if let Some(old) = held.replace(larger) {
                server.free(old);
            }
        }
    });
    add(&mut all, "shrinks and doubles again", shrinks);
    let (mut room, mut held): (u64, Option<Block>) = (4, None);
    let mut small: Vec<Block> = Vec::new();
    let beside = short(36, 300).run(|server, step| match step {
        Step::Start => small = (0..40).map(|_| server.alloc("a", 900)).collect(),
        Step::Request(_, number) => {
            if number == 500 {
                small.extend((0..300).map(|_| server.alloc("a", 1)));
            }
            if number == 9_000 {
                small.drain(40..).for_each(|block| server.free(block));
                leave(server, "a", 4_000);
            }
            if number >= room {
                room *= 2;
                let larger = server.alloc("a", 64 * room);
                if let Some(old) = held.replace(larger) {
                    server.free(old);
                }
            }
        }
        Step::Rest | Step::Advanced => {}
    });
    add(&mut all, "doubles beside what start-up holds, and small blocks that go", beside);
    for cycles in [55, 62] {
        let (mut room, mut held): (u64, Option<Block>) = (4, None);
        let full = each(&short(cycles, 100), |server, _, number| {
            if number.min(4_000) >= room {
                room *= 2;
                let larger = server.alloc("a", 64 * room);
                if let Some(old) = held.replace(larger) {
                    server.free(old);
                }
            }
        });
        add(&mut all, &format!("is full after a third of {cycles} cycles"), full);
    }
    let mut room = 64;
    let chunks = short(36, 200).run(|server, step| match step {
        Step::Start => (0..400).for_each(|_| leave(server, "a", 10)),
        Step::Request(_, number) if number >= room => {
            (0..room / 16).for_each(|_| leave(server, "a", 1000));
            room *= 2;
        }
        _ => server.churn("a", 10),
    });
    add(&mut all, "is made of chunks, beside blocks of start-up", chunks);
    let (mut room, mut held): (u64, Option<Block>) = (4, None);
    let squares = each(&short(40, 100), |server, _, number| {
        if number >= room {
            room *= 2;
            let larger = server.alloc("a", room * room.isqrt());
            if let Some(old) = held.replace(larger) {
                server.free(old);
            }
        }
    });
    add(&mut all, "more than doubles at the pace of the requests", squares);
    assert_as_before("tables", &all);
}

/// A queue of which one entry is taken in `every` requests.
fn queue(cycles: u32, takes: impl Fn(u64) -> bool) -> Recording {
    let mut queue = VecDeque::new();
    each(&short(cycles, 150), |server, _, number| {
        let bytes = 50 + server.random(101);
        queue.push_back(server.alloc("a", bytes));
        if takes(number) {
            server.free(queue.pop_front().expect("it is not empty"));
        }
    })
}

#[test]
fn judgements_of_queues_read_as_before() {
    let mut all = Recordings::new();
    add(&mut all, "two come for one that goes", queue(30, |number| number % 2 == 0));
    add(&mut all, "four come for three that go", queue(30, |number| number % 4 != 0));
    add(&mut all, "ten come for nine that go", queue(40, |number| number % 10 != 0));
    add(&mut all, "a hundred come for 99 that go", queue(40, |number| number % 100 != 0));
    add(&mut all, "three come for one that goes", queue(30, |number| number % 3 == 0));
    add(&mut all, "grows until two thirds of the run", queue(30, |number| number % 2 == 0 || number > 3000));
    add(&mut all, "grows from one third of the run", queue(30, |number| number % 2 == 0 || number < 1500));
    add(
        &mut all,
        "grows ever more slowly",
        queue(30, |number| number % 4500 < number / 4 * 4 || number % 2 == 0),
    );
    for cycles in [8, 9, 10] {
        add(&mut all, &format!("in a run of {cycles} cycles"), queue(cycles, |number| number % 2 == 0));
    }
    add(&mut all, "in a run of 8 cycles, five come for two that go", queue(8, |number| number % 5 < 2));
    let mut waiting = VecDeque::new();
    let uneven = each(&short(24, 60), |server, _, number| {
        let bytes = if server.random(60) == 0 { 60_000 } else { 10 };
        waiting.push_back(server.alloc("a", bytes));
        if number % 2 == 0 {
            server.free(waiting.pop_front().expect("it is not empty"));
        }
    });
    add(&mut all, "holds entries of very different sizes", uneven);
    let mut kept = VecDeque::new();
    let larger = each(&short(30, 150), |server, _, number| {
        kept.push_back(server.alloc("a", 50 + number / 10));
        if kept.len() > 900 {
            server.free(kept.pop_front().expect("it is not empty"));
        }
    });
    add(&mut all, "holds ever larger entries", larger);
    assert_as_before("queues", &all);
}

/// A block is kept for what was not there before.
fn words(cycles: u32, draw: impl Fn(u64, u64) -> Option<u64>) -> Recording {
    let mut known = BTreeSet::new();
    each(&short(cycles, 500), |server, _, number| {
        let random = server.random(1 << 20);
        if draw(number, random).is_some_and(|word| known.insert(word)) {
            leave(server, "a", 80);
        }
    })
}

#[test]
fn judgements_of_growth_that_slows_down_read_as_before() {
    let mut all = Recordings::new();
    // n^power has the rate power * n^(power - 1).
    for (power, scale) in
        [(0.5, 25.0), (0.5, 50.0), (0.65, 13.0), (0.75, 6.0), (0.9, 2.5), (0.35, 190.0), (0.2, 90.0)]
    {
        let recording = words(30, |number, random| {
            let chance = scale * power * (1.0 + number as f64).powf(power - 1.0_f64);
            ((random as f64) < chance * f64::from(1 << 20)).then_some(number)
        });
        add(&mut all, &format!("{scale} times the power of {power}"), recording);
    }
    for finite in [1_000, 2_500, 5_000, 12_000, 30_000] {
        add(&mut all, &format!("{finite} words"), words(30, |_, random| Some(random % finite)));
    }
    let mut values = VecDeque::new();
    for full in [3_000, 6_000] {
        let recording = each(&short(30, 250), |server, _, _| {
            let bytes = 50 + server.random(101);
            values.push_back(server.alloc("a", bytes));
            if values.len() > full {
                server.free(values.pop_front().expect("it is not empty"));
            } else {
                leave(server, "a", 40);
            }
        });
        values.clear();
        add(&mut all, &format!("nodes that are used again, full with {full}"), recording);
    }
    for at in [6_000, 7_000] {
        let mut values = VecDeque::new();
        let recording = each(&short(30, 250), |server, _, number| {
            values.push_back(server.alloc("a", 100));
            if values.len() > 3_000 {
                server.free(values.pop_front().expect("it is not empty"));
            } else {
                leave(server, "a", 40);
            }
            if number == at {
                leave(server, "a", 90_000);
            }
        });
        add(&mut all, &format!("nodes that are used again, and a container made at {at}"), recording);
    }
    for of_five in [6, 15] {
        let mut values = VecDeque::new();
        let small = each(&short(30, 250), |server, _, number| {
            (0..of_five / 5 + u64::from(number % 5 < of_five % 5)).for_each(|_| leave(server, "a", 1));
            values.push_back(server.alloc("a", 100));
            if values.len() > 6_000 {
                server.free(values.pop_front().expect("it is not empty"));
            } else {
                leave(server, "a", 40);
            }
        });
        add(
            &mut all,
            &format!("nodes that are used again, and {of_five} small blocks in five requests"),
            small,
        );
    }
    // Slots that are used again keep the cohort they were made in.
    let slots = each(&short(30, 150), |server, _, number| {
        server.churn("a", 100);
        if number < 1600 {
            leave(server, "a", 64);
        }
    });
    add(&mut all, "slots made in the first third", slots);
    assert_as_before("slowing_down", &all);
}
