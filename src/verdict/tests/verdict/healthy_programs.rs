//! Programs that hold memory without leaking it, in many shapes. Each runs with several seeds, as it is (never called
//! a leak) and with a small leak added (found, with its size).

use std::collections::VecDeque;

use crate::golden::{Recordings, add, assert_as_before};
use crate::server::{Block, Server, Step, soak};
use heapsoak_record::Recording;
use heapsoak_verdict::{ComponentVerdict, Judgement, RunVerdict, judge};

const SEEDS: std::ops::Range<u64> = 1..5;

/// A program: what it does on a request.
type Program = Box<dyn FnMut(&mut Server, u64)>;

/// Programs by name; those that have filled up by the middle of the run first.
fn settled() -> Vec<(String, Program)> {
    let mut all: Vec<(String, Program)> = vec![
        ("emptied at random".to_owned(), emptied()),
        ("nothing kept".to_owned(), Box::new(|server, _| server.churn("a", 700))),
    ];
    for capacity in [50, 700, 3000] {
        all.push((format!("queue of {capacity}"), queue(capacity)));
        all.push((format!("random replacement among {capacity}"), random_replacement(capacity)));
    }
    for keys in [100, 300] {
        all.push((format!("registry of {keys} keys"), registry(keys)));
    }
    for keys in [300, 1500, 3000] {
        all.push((format!("recently used half of {keys} keys"), recently_used(keys, keys as usize / 2)));
    }
    for (high, low) in [(300, 0), (1200, 0), (3000, 1500)] {
        all.push((format!("trimmed from {high} to {low}"), trimmed(high, low)));
    }
    for mean in [20, 300, 600] {
        all.push((format!("sessions of {mean} requests"), sessions(mean)));
    }
    all
}

/// Programs that still fill up, or change their level, when the run ends.
fn unsettled() -> Vec<(String, Program)> {
    let mut all: Vec<(String, Program)> = Vec::new();
    for capacity in [5000, 6000] {
        all.push((format!("queue of {capacity}"), queue(capacity)));
        all.push((format!("random replacement among {capacity}"), random_replacement(capacity)));
    }
    for keys in [1500, 3000, 6000] {
        all.push((format!("registry of {keys} keys"), registry(keys)));
    }
    all.push(("trimmed from 6000 to 100".to_owned(), trimmed(6000, 100)));
    all.push(("sessions of 3000 requests".to_owned(), sessions(3000)));
    all.push(("buffers that grow to the largest message".to_owned(), buffers()));
    all
}

fn queue(capacity: usize) -> Program {
    trimmed(capacity, capacity - 1)
}

fn trimmed(high: usize, low: usize) -> Program {
    let mut kept: VecDeque<Block> = VecDeque::new();
    Box::new(move |server, _| {
        let bytes = 50 + server.random(200);
        kept.push_back(server.alloc("a", bytes));
        if kept.len() > high {
            for block in kept.drain(..high + 1 - low) {
                server.free(block);
            }
        }
    })
}

fn random_replacement(capacity: usize) -> Program {
    let mut slots: Vec<Block> = Vec::new();
    Box::new(move |server, _| {
        let bytes = 50 + server.random(200);
        let block = server.alloc("a", bytes);
        if slots.len() < capacity {
            slots.push(block);
        } else {
            let at = server.random(capacity as u64) as usize;
            server.free(std::mem::replace(&mut slots[at], block));
        }
    })
}

fn registry(keys: u64) -> Program {
    let mut known = vec![false; keys as usize];
    Box::new(move |server, _| {
        let key = server.random(keys) as usize;
        if !std::mem::replace(&mut known[key], true) {
            std::mem::forget(server.alloc("a", 120));
        }
    })
}

/// Keeps the most recently used of keys of which some are asked for much more often than others.
fn recently_used(keys: u64, capacity: usize) -> Program {
    let mut kept: VecDeque<(u64, Block)> = VecDeque::new();
    Box::new(move |server, _| {
        let spread = server.random(keys) + 1;
        let key = server.random(spread);
        let entry = match kept.iter().position(|(kept, _)| *kept == key) {
            Some(at) => kept.remove(at).expect("it was found there"),
            None => (key, server.alloc("a", 400)),
        };
        kept.push_back(entry);
        if kept.len() > capacity {
            let (_, oldest) = kept.pop_front().expect("it is not empty");
            server.free(oldest);
        }
    })
}

/// Sessions that end after a random number of requests, some of them after ten times the mean.
fn sessions(mean: u64) -> Program {
    let mut open: Vec<(u64, Block)> = Vec::new();
    Box::new(move |server, number| {
        let stretch = if server.random(50) == 0 { 10 } else { 2 };
        let ends = number + 1 + server.random(stretch * mean);
        open.push((ends, server.alloc("a", 250)));
        let mut at = 0;
        while at < open.len() {
            if open[at].0 <= number {
                let (_, block) = open.swap_remove(at);
                server.free(block);
            } else {
                at += 1;
            }
        }
    })
}

fn buffers() -> Program {
    let mut buffers: Vec<(u64, Block)> = Vec::new();
    Box::new(move |server, _| {
        if buffers.len() < 16 {
            buffers.push((256, server.alloc("a", 256)));
        }
        let at = server.random(buffers.len() as u64) as usize;
        // A message of size s comes with chance 1/s: the largest so far keeps growing, ever more rarely.
        let message = 100_000 / (1 + server.random(100_000));
        let (size, buffer) = &mut buffers[at];
        if message > *size {
            server.grow(buffer, message - *size);
            *size = message;
        }
    })
}

fn emptied() -> Program {
    let mut kept: Vec<Block> = Vec::new();
    Box::new(move |server, _| {
        kept.push(server.alloc("a", 90));
        if server.random(900) == 0 {
            kept.drain(..).for_each(|block| server.free(block));
        }
    })
}

/// Runs a program; with `leak_every`, one request in so many leaves 80 bytes behind.
fn run(program: &mut Program, seed: u64, leak_every: Option<u64>) -> Recording {
    let mut soak = soak(&[("a.use", 3), ("a.other", 1)]);
    soak.seed = seed;
    soak.per_cycle = 300;
    soak.run(|server, step| {
        if let Step::Request(kind, number) = step {
            if kind == "a.use" {
                program(server, number);
            }
            if leak_every.is_some_and(|every| server.random(every) == 0) {
                std::mem::forget(server.alloc("a", 80));
            }
        }
    })
}

fn evidence(judgement: &Judgement) -> &[String] {
    &judgement.component("a").expect("every program allocates").evidence
}

#[test]
fn no_healthy_program_is_called_a_leak() {
    for seed in SEEDS {
        for (name, mut program) in settled().into_iter().chain(unsettled()) {
            let judgement = judge(&run(&mut program, seed, None));
            assert_ne!(
                judgement.verdict,
                RunVerdict::Leak,
                "{name}, seed {seed}: {:#?}",
                evidence(&judgement)
            );
        }
    }
}

#[test]
fn a_healthy_program_that_has_settled_is_called_clean() {
    for seed in SEEDS {
        for (name, mut program) in settled() {
            let judgement = judge(&run(&mut program, seed, None));
            assert_eq!(
                judgement.verdict,
                RunVerdict::Clean,
                "{name}, seed {seed}: {:#?}",
                evidence(&judgement)
            );
        }
    }
}

#[test]
fn a_leak_in_one_request_of_three_is_found_in_every_program_that_has_settled() {
    let (mut runs, mut off) = (0, Vec::new());
    for seed in SEEDS {
        for (name, mut program) in settled() {
            let judgement = judge(&run(&mut program, seed, Some(3)));
            let a = judgement.component("a").expect("every program allocates");
            let share = a.growth_bytes_per_1000_requests.estimate / 26_667.0;
            assert_eq!(a.verdict, ComponentVerdict::Leak, "{name}, seed {seed}: {:#?}", a.evidence);
            assert!(share < 1.5, "{name}, seed {seed}: {:#?}", a.evidence);
            runs += 1;
            if !(0.85..1.15).contains(&share) {
                off.push((name, seed, share));
            }
        }
    }
    // Where half of the memory outlives half of the run, what dies late can't be told from what never dies.
    assert!(off.len() * 5 <= runs, "{} of {runs} are more than 15 % off: {off:?}", off.len());
}

#[test]
fn judgements_of_programs_that_have_settled_read_as_before() {
    let mut all = Recordings::new();
    let leaks = [None, Some(3), None, Some(40)];
    for (at, (name, mut program)) in settled().into_iter().enumerate() {
        add(&mut all, &name, run(&mut program, 1, leaks[at % 4]));
    }
    assert_as_before("settled", &all);
}

#[test]
fn judgements_of_programs_that_still_fill_up_read_as_before() {
    let mut all = Recordings::new();
    for (name, mut program) in unsettled() {
        add(&mut all, &name, run(&mut program, 1, None));
    }
    for (name, mut program) in unsettled().into_iter().step_by(2) {
        add(&mut all, &format!("{name}, with a leak"), run(&mut program, 2, Some(40)));
    }
    assert_as_before("unsettled", &all);
}
