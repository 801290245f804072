//! Recordings of servers that were restarted: told apart by process, and kept short.

use heapsoak_record::{
    Cell, Cohort, ContextHeap, Event, FORMAT_VERSION, Header, Heap, KindCount, Moment, Plan, Recording,
    Snapshot, Target,
};
use proptest::prelude::*;

fn header() -> Header {
    Header {
        format_version: FORMAT_VERSION,
        tool_version: "0.1.0".to_owned(),
        started_unix_ms: 0,
        scenario: "restarts".to_owned(),
        description: String::new(),
        scenario_source: String::new(),
        seed: 7,
        target: Target {
            name: "server".to_owned(),
            command: Vec::new(),
            pid: 1,
            as_found: Vec::new(),
            memory_limit_bytes: None,
        },
        plan: Plan { cycles: 1, max_cycles: 1, requests_per_cycle: 10, concurrency: 1 },
        kinds: Vec::new(),
        claims: Vec::new(),
        not_analysed: Vec::new(),
    }
}

/// A process of so many cycles that keeps a block of each, after those that are recorded.
fn add(recording: &mut Recording, cycles: u32) {
    let before = recording.snapshots.last().map_or(0, |snapshot| snapshot.cycle);
    if !recording.snapshots.is_empty() {
        recording.events.push(Event::Restarted { cycle: before, pid: 2, killed: true, took_ms: 5, times: 1 });
    }
    for own in 0..=cycles {
        let cycle = before + own;
        let survivors: Vec<Cell> = (0..=own).map(|cohort| Cell::from((cohort, 10, 1))).collect();
        let blocks = u64::from(own) + 1;
        let context = ContextHeap {
            path: vec!["a".to_owned()],
            allocated_bytes: 10 * blocks,
            allocated_blocks: blocks,
            survivors,
            ..ContextHeap::default()
        };
        let heap = Heap {
            cohort: Cohort(own),
            contexts: vec![context],
            total_live_bytes: 10 * blocks,
            total_live_blocks: blocks,
            ..Heap::default()
        };
        if own > 0 {
            recording.events.push(Event::ControlPlanted { cycle, blocks: 4, bytes: 40 });
            recording.events.push(Event::ClockAdvanced { cycle, by_ms: 1 });
        }
        recording.snapshots.push(Snapshot {
            sequence: u32::try_from(recording.snapshots.len()).expect("they are few"),
            cycle,
            moment: if own == 0 { Moment::Baseline } else { Moment::CycleEnd },
            elapsed_ms: u64::from(cycle),
            clock_ms: u64::from(cycle),
            requests: 10 * u64::from(cycle),
            kinds: vec![KindCount::from((10 * u64::from(cycle), 10 * u64::from(cycle), 0, 0))],
            quiet: true,
            waited_ms: 0,
            heap: Some(heap),
            resources: Vec::new(),
            gauges: Vec::new(),
        });
    }
}

fn recording(processes: &[u32]) -> Recording {
    let mut recording = Recording::new(header());
    for cycles in processes {
        add(&mut recording, *cycles);
    }
    recording
}

fn cycles(recording: &Recording) -> Vec<u32> {
    recording.snapshots.iter().map(|snapshot| snapshot.cycle).collect()
}

/// Cycles before each restart, and how many it stands for.
fn restarts(recording: &Recording) -> Vec<(u32, u32)> {
    let restarts = recording.events.iter().filter_map(|event| match event {
        Event::Restarted { cycle, times, .. } => Some((*cycle, *times)),
        _ => None,
    });
    restarts.collect()
}

fn planted(recording: &Recording) -> Vec<(u32, u64)> {
    let planted = recording.events.iter().filter_map(|event| match event {
        Event::ControlPlanted { cycle, blocks, .. } => Some((*cycle, *blocks)),
        _ => None,
    });
    planted.collect()
}

#[test]
fn the_newest_process_is_folded_and_the_restart_stands_where_it_was() {
    let mut recording = recording(&[3, 7]);
    recording.fold_newest();
    // Of a last cycle without a second one, only that.
    assert_eq!(cycles(&recording), [0, 1, 2, 3, 3, 5, 7, 9, 10]);
    assert_eq!(restarts(&recording), [(3, 1)]);
    assert_eq!(planted(&recording), [(1, 4), (2, 4), (3, 4), (5, 8), (7, 8), (9, 8), (10, 4)]);
    recording.fold_newest();
    assert_eq!(cycles(&recording), [0, 1, 2, 3, 3, 7, 10]);
    let parts = recording.parts();
    assert_eq!(parts[1].cycles_before, 3);
    // As a recording of its own, it looks like any that was folded.
    let second = &parts[1].recording;
    assert_eq!(cycles(second), [0, 1, 2]);
    assert_eq!((second.header.plan.cycles, second.snapshots[2].requests), (7, 70));
    assert_eq!(planted(second), [(1, 16), (2, 12)]);
    let survivors = &second.snapshots[2].heap.as_ref().unwrap().contexts[0].survivors;
    let blocks: Vec<_> = survivors.iter().map(|cell| (cell.cohort.0, cell.live_blocks)).collect();
    assert_eq!(blocks, [(0, 1), (1, 4), (2, 3)]);
    assert_eq!(recording.cycles_each(), 4);
}

#[test]
fn a_recording_that_was_folded_before_the_first_restart_gets_the_numbers_of_the_run() {
    let mut recording = recording(&[9]);
    recording.fold();
    recording.events.push(Event::Folded { after: 8, cycles_each: 2 });
    assert_eq!(cycles(&recording), [0, 1, 2, 3, 4, 5]);
    recording.number_as_run(2, 9);
    add(&mut recording, 2);
    assert_eq!(cycles(&recording), [0, 2, 4, 6, 8, 9, 9, 10, 11]);
    assert_eq!(cycles(&recording.parts()[0].recording), [0, 1, 2, 3, 4, 5]);
    assert_eq!(recording.cycles_each(), 2);
}

#[test]
fn of_processes_that_are_over_their_start_and_end_are_kept_but_for_the_longest() {
    let mut recording = recording(&[4, 6, 1, 5]);
    recording.thin(8);
    assert_eq!(cycles(&recording), [0, 4, 4, 5, 6, 7, 8, 9, 10, 10, 11, 11, 16]);
    assert_eq!(restarts(&recording), [(4, 1), (10, 1), (11, 1)]);
    let lengths: Vec<_> = recording.stretches().iter().map(|stretch| stretch.cycles).collect();
    assert_eq!(lengths, [4, 6, 1, 5]);
    let kept: Vec<_> = recording.stretches().iter().map(heapsoak_record::Stretch::kept_cycles).collect();
    assert_eq!(kept, [1, 6, 1, 1]);
    assert_eq!(planted(&recording.parts()[3].recording), [(1, 20)]);
    let again = recording.clone();
    recording.thin(8);
    assert_eq!(recording, again);
    assert!(recording.snapshots.iter().map(|snapshot| snapshot.sequence).eq(0..13));
}

#[test]
fn restarts_of_processes_that_are_not_kept_are_counted_by_the_next_that_is() {
    let mut recording = recording(&[2; 12]);
    recording.thin(4);
    assert_eq!(restarts(&recording), [(2, 1), (14, 6), (22, 4)]);
    assert_eq!(recording.restarts(), 11);
    // What was done in them stands before it, in no stretch.
    assert_eq!(planted(&recording).iter().map(|of| of.1).sum::<u64>(), 4 * 24);
    assert_eq!(planted(&recording)[1..4], [(4, 8), (14, 40), (16, 8)]);
}

proptest! {
    #[test]
    fn however_many_processes_there_were_few_are_kept_at_even_distances_and_nothing_is_counted_twice(
        processes in prop::collection::vec(1_u32..9, 1..300),
        most in 4_usize..20,
    ) {
        let mut recording = Recording::new(header());
        for cycles in &processes {
            if recording.stretches().len() > 2 * most {
                recording.thin(most);
            }
            add(&mut recording, *cycles);
        }
        recording.thin(most);
        let kept = recording.stretches();
        prop_assert!(kept.len() <= 2 * most, "{}", kept.len());
        prop_assert!(recording.snapshots.len() <= 2 * kept.len() + 8);
        prop_assert!(recording.events.len() <= 10 * kept.len() + 16, "{}", recording.events.len());
        let run: u32 = processes.iter().sum();
        prop_assert_eq!(kept.last().unwrap().last_cycle(), run);
        prop_assert_eq!(recording.restarts() as usize, processes.len() - 1);
        prop_assert_eq!(planted(&recording).iter().map(|of| of.1).sum::<u64>(), 4 * u64::from(run));
        // Where each begins was where one began.
        let mut begins = vec![0];
        begins.extend(processes.iter().scan(0, |sum, cycles| {
            *sum += cycles;
            Some(*sum)
        }));
        prop_assert!(kept.iter().all(|stretch| begins.contains(&stretch.cycles_before)));
        let gaps = kept.windows(2).map(|pair| pair[1].cycles_before - pair[0].cycles_before);
        let most_apart = (2 * run / u32::try_from(most).unwrap()).max(8);
        prop_assert!(gaps.max().unwrap_or(0) <= most_apart);
        for part in recording.parts() {
            let cycles = cycles(&part.recording);
            prop_assert!(cycles.iter().copied().eq(0..u32::try_from(cycles.len()).unwrap()));
        }
    }
}
