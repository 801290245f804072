//! Memory whose use changes in the middle of a run: it begins, ends, becomes rarer, or dies late.

use std::collections::VecDeque;

use super::{each, leave, short};
use crate::golden::{Recordings, add, assert_as_before};
use crate::server::{Block, Soak, soak};
use heapsoak_record::Recording;

/// One request in `every` leaves a block that is freed after so many requests; none for those that stay.
fn living(cycles: u32, every: u64, lives: impl Fn(u64) -> Option<u64>) -> Recording {
    let mut alive: VecDeque<(u64, Block)> = VecDeque::new();
    each(&short(cycles, 150), |server, _, number| {
        while alive.front().is_some_and(|(until, _)| *until <= number) {
            let (_, block) = alive.pop_front().expect("there is one in front");
            server.free(block);
        }
        if number % every == 0 {
            let block = server.alloc("a", 300);
            if let Some(lives) = lives(number) {
                alive.push_back((number + lives, block));
            }
        }
    })
}

#[test]
fn judgements_of_cohorts_that_die_at_some_age_read_as_before() {
    let mut all = Recordings::new();
    for lives in [300, 700, 1500, 2200, 3000, 3900] {
        add(&mut all, &format!("each block lives for {lives} requests"), living(30, 3, |_| Some(lives)));
    }
    add(&mut all, "one in ten stays", living(30, 3, |number| (number % 30 != 0).then_some(900)));
    add(&mut all, "few blocks, which live long", living(30, 60, |_| Some(2000)));
    add(&mut all, "one in four lives for half of the run", {
        living(36, 2, |number| Some(if number % 8 == 0 { 2700 } else { 200 }))
    });
    add(
        &mut all,
        "the first 20 cycles die, the others stay",
        living(40, 5, |number| (number < 3000).then_some(800)),
    );
    assert_as_before("deaths", &all);
}

#[test]
fn judgements_of_leaks_that_come_and_go_read_as_before() {
    let mut all = Recordings::new();
    for (from, until) in [(0, 1500), (0, 3000), (1500, 4500), (2250, 4500), (3600, 4500), (2800, 4500)] {
        add(
            &mut all,
            &format!("leaves something from request {from} to {until}"),
            each(&short(30, 150), |server, _, number| {
                if (from..until).contains(&number) && number % 4 == 0 {
                    leave(server, "a", 120);
                }
            }),
        );
    }
    for (early, late) in [(4, 6), (4, 9), (9, 4), (3, 4)] {
        add(
            &mut all,
            &format!("one in {early}, later one in {late}"),
            each(&short(30, 150), |server, _, number| {
                if server.random(if number < 2250 { early } else { late }) == 0 {
                    leave(server, "a", 120);
                }
            }),
        );
    }
    for few in [2, 3, 5, 8] {
        add(
            &mut all,
            &format!("{few} blocks in all"),
            each(&short(24, 100), |server, _, number| {
                if number % (2400 / few) == 1200 / few {
                    leave(server, "a", 6_000);
                }
            }),
        );
    }
    for (bytes, more) in [(90, 230), (110, 290)] {
        let mut soak = short(30, 200);
        let rarely = each(&soak, |server, _, _| {
            if server.random(400) == 0 {
                leave(server, "a", bytes);
            }
        });
        add(&mut all, &format!("{bytes} bytes in one request of 400"), rarely);
        soak.kinds = vec![("a.b", 9), ("a.rare", 1)];
        let kind = each(&soak, |server, kind, _| {
            if kind == "a.rare" && server.random(100) == 0 {
                leave(server, "a", more);
            }
        });
        add(&mut all, &format!("{more} bytes in one request of 100 of a rare kind"), kind);
        let mut number = 0;
        let little = each(&soak, |server, kind, _| {
            number += u64::from(kind == "a.rare");
            if kind == "a.rare" && number % 10 == 0 {
                leave(server, "a", bytes / 16);
            }
        });
        add(&mut all, &format!("{} bytes in one request of 10 of a rare kind", bytes / 16), little);
        let late = each(&short(30, 200), |server, _, number| {
            if number > 5_600 && number % 4 == 0 {
                leave(server, "a", bytes - 40);
            }
            if number == 2_000 {
                leave(server, "a", 8);
            }
        });
        add(&mut all, &format!("rises late, by {} bytes each", bytes - 40), late);
    }
    for (stretch, each_time) in [(600, 1), (1000, 1), (1000, 2), (1600, 2), (1600, 4)] {
        let bursts = each(&short(30, 200), |server, _, number| {
            if number / stretch % 2 == 0 && number % 200 == 7 {
                (0..each_time).for_each(|_| leave(server, "a", 300));
            }
        });
        add(&mut all, &format!("{each_time} at a time in stretches of {stretch} requests"), bursts);
    }
    let mut first = None;
    let oldest = each(&short(30, 50), |server, _, number| match number {
        210 => first = Some(server.alloc("a", 700)),
        1310 => server.free(first.take().expect("made before")),
        _ if number >= 400 && number % 50 == 10 => leave(server, "a", 700),
        _ => {}
    });
    add(&mut all, "the oldest judged block dies", oldest);
    add(
        &mut all,
        "two cohorts with far more than the others",
        each(&short(30, 100), |server, _, number| {
            let burst = matches!(number, 1000 | 1800);
            (0..if burst { 400 } else { u64::from(number % 10 == 0) }).for_each(|_| leave(server, "a", 50));
        }),
    );
    add(
        &mut all,
        "a container that grows beside a steady leak",
        each(&short(30, 100), |server, _, number| {
            if number % 5 == 0 {
                leave(server, "a", if number == 1200 { 90_000 } else { 50 });
            }
        }),
    );
    add(
        &mut all,
        "four containers that grow beside a steady leak",
        each(&short(30, 100), |server, _, number| {
            if number % 5 == 0 {
                leave(server, "a", if matches!(number, 700 | 1200 | 1700 | 2200) { 90_000 } else { 50 });
            }
        }),
    );
    for cycles in [4, 9] {
        let recording = each(&short(cycles, 100), |server, _, number| {
            let blocks = match (number / 100, number % 5) {
                (2, _) => 2,
                (_, 0) => 1,
                _ => 0,
            };
            (0..blocks).for_each(|_| leave(server, "a", 50));
        });
        add(&mut all, &format!("one cohort of {cycles} with ten times as many blocks"), recording);
    }
    let mut lost = Vec::new();
    let short_lived = each(&short(30, 100), |server, _, number| {
        if number % 5 == 0 {
            let block = server.alloc("a", 80);
            if number / 100 == 9 {
                lost.push(block);
            }
        }
        if number == 1_050 {
            lost.drain(..).for_each(|block| server.free(block));
        }
    });
    add(&mut all, "one cohort that dies at once", short_lived);
    let falling = each(&short(30, 150), |server, _, number| {
        if server.random(1_200) > number / 3 {
            leave(server, "a", 60);
        }
    });
    add(&mut all, "ever fewer, and none in the end", falling);
    let half = each(&short(24, 100), |server, _, number| {
        if matches!(number, 450 | 750 | 1_050) {
            leave(server, "a", 6_000);
        }
    });
    add(&mut all, "three blocks in the first half", half);
    let twice = each(&short(30, 100), |server, _, number| {
        let blocks = u64::from(number % 10 == 0) + u64::from(number / 100 == 12 && number % 10 == 5);
        (0..blocks).for_each(|_| leave(server, "a", if number == 1_205 { 50_000 } else { 60 }));
    });
    add(&mut all, "a container in a cohort of twice as many blocks", twice);
    let ten = each(&short(30, 200), |server, _, number| {
        if number % 70 == 0 {
            leave(server, "a", 60);
        }
    });
    add(&mut all, "sixty blocks in the judged cohorts", ten);
    for seed in 1..4 {
        let soak = Soak { cycles: 24, per_cycle: 20, seed, ..soak(&[("a.b", 30), ("a.rare", 1)]) };
        let rare = each(&soak, |server, kind, _| {
            if kind == "a.rare" {
                leave(server, "a", 900);
            }
        });
        add(&mut all, &format!("a kind that many cohorts do without, seed {seed}"), rare);
    }
    let mut disturbed = each(&short(20, 100), |server, _, _| leave(server, "a", 70));
    disturbed.snapshots[20].quiet = false;
    disturbed.snapshots[19].quiet = false;
    disturbed.snapshots[6].quiet = false;
    add(&mut all, "the last two quiet points are none", disturbed);
    let mut none = each(&short(12, 50), |server, _, _| leave(server, "a", 70));
    none.snapshots.iter_mut().for_each(|snapshot| snapshot.quiet = false);
    add(&mut all, "no quiet point at all", none);
    assert_as_before("coming_and_going", &all);
}
