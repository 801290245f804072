//! A recording can be read back, also when its writer was killed, and refused when it can't.

use std::fs;
use std::path::Path;

use heapsoak_record::{
    Blocks, CaptureRate, Captured, Cell, Cohort, ContextHeap, End, Event, FORMAT_VERSION, Frame, Header,
    Heap, Kind, KindCount, Mark, Module, Moment, Origin, Outcome, Plan, ReadError, Recording, Snapshot,
    Stack, Stacks, Symbol, Target, Writer,
};

fn header() -> Header {
    Header {
        format_version: FORMAT_VERSION,
        tool_version: "0.1.0".to_owned(),
        started_unix_ms: 1_700_000_000_000,
        scenario: "claims".to_owned(),
        description: "four claims".to_owned(),
        scenario_source: "version = 1\n".to_owned(),
        seed: 7,
        target: Target {
            name: "autopilot".to_owned(),
            command: vec!["heapsoak".to_owned()],
            pid: 42,
            as_found: vec!["session.tool-ids".to_owned()],
            memory_limit_bytes: None,
        },
        plan: Plan { cycles: 2, max_cycles: 4, requests_per_cycle: 100, concurrency: 8 },
        kinds: vec![Kind { name: "cache.hit".to_owned(), weight: 1.0 }],
        claims: Vec::new(),
        not_analysed: Vec::new(),
    }
}

fn snapshot(sequence: u32) -> Snapshot {
    Snapshot {
        sequence,
        cycle: sequence,
        moment: if sequence == 0 { Moment::Baseline } else { Moment::CycleEnd },
        elapsed_ms: 10,
        clock_ms: 360_010,
        requests: u64::from(sequence) * 100,
        kinds: vec![KindCount { sent: 100, ok: 99, expected_errors: 1, failed: 0 }],
        quiet: true,
        waited_ms: 3,
        heap: Some(Heap {
            cohort: Cohort(sequence),
            contexts: vec![ContextHeap {
                path: vec!["queue".to_owned(), "session".to_owned()],
                kind: Some("session.success".to_owned()),
                allocated_bytes: 300,
                allocated_blocks: 3,
                freed_bytes: 100,
                freed_blocks: 1,
                survivors: vec![Cell { cohort: Cohort(sequence), live_bytes: 200, live_blocks: 2 }],
            }],
            total_live_bytes: 200,
            total_live_blocks: 2,
            ..Heap::default()
        }),
        resources: Vec::new(),
        gauges: Vec::new(),
    }
}

fn stacks() -> Stacks {
    let mut stacks = Stacks {
        captured: vec![Captured {
            component: Some("session".to_owned()),
            rate: CaptureRate::OneIn { bytes: 65_536 },
        }],
        modules: vec![Module { path: "/bin/server".to_owned(), end: 4096, ..Module::default() }],
        frames: vec![Frame { module: Some(0), address: 0x10 }, Frame { module: None, address: 0x7000 }],
        symbols: vec![
            vec![Symbol {
                function: "server::keep".to_owned(),
                file: Some("src/keep.rs".to_owned()),
                line: Some(7),
                inlined: false,
                origin: Origin::Own,
            }],
            Vec::new(),
        ],
        stacks: vec![stack(&[0, 1], 100)],
        ..Stacks::default()
    };
    let later = Stacks { stacks: vec![stack(&[1], 7), stack(&[0, 1], 300)], ..stacks.clone() };
    stacks.take_over(stacks.clone(), Mark { cycle: 1, requests: 100 });
    stacks.take_over(later, Mark { cycle: 2, requests: 200 });
    stacks
}

fn stack(frames: &[u32], bytes: u64) -> Stack {
    Stack {
        path: vec!["session".to_owned()],
        frames: frames.to_vec(),
        interval_bytes: Some(65_536),
        live: Blocks { bytes, blocks: 1 },
        ..Stack::default()
    }
}

fn write(path: &Path) -> Recording {
    let mut recording = Recording::new(header());
    let mut writer = Writer::create(path, &recording.header).expect("the folder is there");
    for sequence in 0..3 {
        recording.snapshots.push(snapshot(sequence));
        writer.snapshot(&snapshot(sequence)).expect("the disk has room");
    }
    recording.events.push(Event::ClockAdvanced { cycle: 1, by_ms: 360_000 });
    writer.event(&recording.events[0]).expect("the disk has room");
    recording.stacks.push(stacks());
    writer.stacks(&recording.stacks[0]).expect("the disk has room");
    let end = End { outcome: Outcome::Completed, elapsed_ms: 30, requests: 200 };
    writer.end(&end).expect("the disk has room");
    recording.end = Some(end);
    recording
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    let written = write(&path);
    assert_eq!(Recording::read(&path).unwrap(), written);
}

#[test]
fn a_recording_cut_at_any_byte_after_its_header_reads_up_to_its_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    let written = write(&path);
    let text = fs::read_to_string(&path).unwrap();
    let header_end = text.find('\n').unwrap() + 1;
    for cut in header_end..text.len() {
        let read = Recording::parse(&text[..cut], &path).unwrap();
        let whole = text[..cut].matches('\n').count() - 1;
        assert!(read.snapshots.len() >= whole.min(3), "cut at {cut}");
        assert_eq!(read.snapshots[..], written.snapshots[..read.snapshots.len()]);
    }
}

#[test]
fn what_a_stack_held_at_earlier_marks_stays_with_it() {
    let stacks = stacks();
    assert_eq!(stacks.marks.len(), 2);
    let bytes = |stack: &Stack| stack.marks.iter().map(|mark| mark.bytes).collect::<Vec<_>>();
    assert_eq!(stacks.stacks.iter().map(bytes).collect::<Vec<_>>(), [[0, 7], [100, 300]]);
    assert_eq!(stacks.stacks[1].growth_bytes(0, 1), 200);
    assert_eq!(stacks.stacks[1].growth_bytes(1, 0), -200);
}

#[test]
fn stacks_of_a_second_pass_are_appended_behind_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    let mut written = write(&path);
    let mut pass = stacks();
    pass.stacks.push(Stack { path: vec!["queue".to_owned()], ..stack(&[0], 9) });
    let zoomed = pass.zoomed("queue");
    assert_eq!((zoomed.zoom.as_deref(), zoomed.stacks.len()), (Some("queue"), 1));
    assert_eq!((zoomed.frames.len(), zoomed.frame(zoomed.stacks[0].frames[0])), (1, pass.frame(0)));
    assert_eq!(zoomed.symbols_of(0), pass.symbols_of(0));
    Writer::append(&path).unwrap().stacks(&zoomed).unwrap();
    written.stacks.push(zoomed);
    assert_eq!(Recording::read(&path).unwrap(), written);
}

#[test]
fn a_recording_of_the_first_format_without_stacks_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    let written = write(&path);
    let text: String = fs::read_to_string(&path)
        .unwrap()
        .replacen(&format!("\"format_version\":{FORMAT_VERSION}"), "\"format_version\":1", 1)
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("{\"stacks\""))
        .collect();
    let read = Recording::parse(&text, &path).unwrap();
    assert_eq!((read.header.format_version, read.stacks.len()), (1, 0));
    assert_eq!((read.snapshots, read.end), (written.snapshots, written.end));
}

#[test]
fn a_damaged_line_in_the_middle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    write(&path);
    let text = fs::read_to_string(&path).unwrap().replacen("\"cycle_end\"", "\"cycle_start\"", 1);
    let error = Recording::parse(&text, &path).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { line: 3, .. }), "{error}");
    assert!(error.to_string().contains("recording.jsonl:3: "), "{error}");
}

#[test]
fn a_recording_of_a_newer_format_is_refused_even_when_nothing_else_of_it_is_known() {
    let text = "{\"header\":{\"format_version\":99,\"tool_version\":\"9.0.0\",\"shape\":\"unknown\"}}\n";
    let error = Recording::parse(text, Path::new("new.jsonl")).unwrap_err();
    assert!(matches!(error, ReadError::TooNew { found: 99, .. }));
    let message = error.to_string();
    assert!(
        message.contains("99") && message.contains("9.0.0") && message.contains("new.jsonl"),
        "{message}"
    );
}

#[test]
fn an_existing_recording_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    write(&path);
    let error = Writer::create(&path, &header()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn what_is_not_a_recording_is_refused_by_name() {
    for text in ["", "\n", "# heapsoak\n", "{\"end\":{}}\n"] {
        let error = Recording::parse(text, Path::new("notes.md")).unwrap_err();
        assert!(error.to_string().starts_with("notes.md:1: not a heapsoak recording"), "{error}");
    }
}
