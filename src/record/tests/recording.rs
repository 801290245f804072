//! A recording can be read back, also when its writer was killed, and refused when it can't.

use std::fs;
use std::path::Path;

use heapsoak_record::{
    Cell, Cohort, ContextHeap, End, Event, FORMAT_VERSION, Header, Heap, Kind, KindCount, Moment, Outcome,
    Plan, ReadError, Recording, Snapshot, Target, Writer,
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

fn write(path: &Path) -> Recording {
    let mut recording = Recording::new(header());
    let mut writer = Writer::create(path, &recording.header).expect("the folder is there");
    for sequence in 0..3 {
        recording.snapshots.push(snapshot(sequence));
        writer.snapshot(&snapshot(sequence)).expect("the disk has room");
    }
    recording.events.push(Event::ClockAdvanced { cycle: 1, by_ms: 360_000 });
    writer.event(&recording.events[0]).expect("the disk has room");
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
