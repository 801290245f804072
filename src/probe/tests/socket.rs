//! The private socket, as the driver uses it.
#![allow(unsafe_code)] // sets an environment variable

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use heapsoak_probe::{Component, Gauge, Probe};
use heapsoak_record::CONTROL_COMPONENT;
use heapsoak_record::wire::{ProbeSnapshot, Request, Response, Stillness};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static CACHE: Component = Component::new("cache");
static RUNNING: Gauge = Gauge::busy("queue.running");

struct Client {
    lines: BufReader<UnixStream>,
}

impl Client {
    fn line(&mut self, line: &str) -> Response {
        self.lines.get_mut().write_all(line.as_bytes()).expect("the test can go on");
        let mut answer = String::new();
        self.lines.read_line(&mut answer).expect("the test can go on");
        serde_json::from_str(&answer).expect("the test can go on")
    }

    fn ask(&mut self, request: &Request) -> Response {
        self.line(&(serde_json::to_string(request).expect("the test can go on") + "\n"))
    }

    /// One answer to `stillness` into the buffer, the rest of it zero.
    fn poll(&mut self, answer: &mut [u8; 512]) {
        let stream = self.lines.get_mut();
        stream.write_all(b"{\"do\":\"stillness\"}\n").expect("the probe listens");
        answer.fill(0);
        let mut length = 0;
        while length == 0 || answer[length - 1] != b'\n' {
            length += stream.read(&mut answer[length..]).expect("the probe answers");
        }
    }

    fn snapshot(&mut self) -> ProbeSnapshot {
        match self.ask(&Request::Snapshot) {
            Response::Snapshot(snapshot) => *snapshot,
            other => panic!("{other:?}"),
        }
    }

    fn stillness(&mut self) -> Stillness {
        match self.ask(&Request::Stillness) {
            Response::Stillness(stillness) => stillness,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_socket_answers_each_request_and_its_own_work_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probe.sock");
    // A socket file left behind by a server that was killed is in nobody's way.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    // SAFETY: no other thread of this test reads or writes the environment.
    unsafe { std::env::set_var("HEAPSOAK_SOCKET", &path) };
    heapsoak_probe::start();
    heapsoak_probe::start();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let mut client = Client { lines: BufReader::new(UnixStream::connect(&path).unwrap()) };
    let Response::Hello { pid, protocol_version, .. } = client.ask(&Request::Hello) else {
        panic!("no hello")
    };
    assert_eq!((pid, protocol_version), (std::process::id(), 1));

    // Polling, by two clients, moves none of the numbers polled. (The test polls without allocating.)
    let mut other = Client { lines: BufReader::new(UnixStream::connect(&path).unwrap()) };
    let _ = other.stillness();
    let (mut still, mut again) = ([0_u8; 512], [0_u8; 512]);
    client.poll(&mut still);
    for _ in 0..20 {
        for polled in [&mut client, &mut other] {
            polled.poll(&mut again);
            assert_eq!(str::from_utf8(&still), str::from_utf8(&again));
        }
    }
    let running = RUNNING.hold();
    assert_eq!(client.stillness().busy.len(), 1);
    drop(running);
    assert_eq!(client.stillness().busy, []);

    let Response::Cohort { now } = client.ask(&Request::AdvanceCohort) else { panic!("no cohort") };
    let kept = CACHE.scope(|| std::hint::black_box(vec![0_u8; 700])); // an unread block would be optimised away
    let snapshot = client.snapshot();
    assert_adds_up(&snapshot.heap);
    let cache = context(&snapshot.heap, "cache", None);
    assert_eq!(
        cache.survivors.iter().map(|cell| (cell.cohort, cell.live_bytes)).collect::<Vec<_>>(),
        [(now, 700)]
    );
    assert!(context(&snapshot.heap, "heapsoak", None).live_bytes() > 0);
    assert!(snapshot.resources.iter().any(|resource| resource.name == "fds.socket" && resource.value >= 5));
    drop(kept);

    for planting in 1..=3 {
        let planted = client.ask(&Request::PlantControl { blocks: 4, block_bytes: 25 });
        assert_eq!(planted, Response::ControlPlanted { blocks: 4 * planting, bytes: 100 * planting });
    }
    let heap = client.snapshot().heap;
    let control = context(&heap, CONTROL_COMPONENT, None);
    assert_eq!(control.path, [CONTROL_COMPONENT], "charged to itself, not to the probe");
    assert_eq!((control.allocated_blocks, control.live_blocks(), control.live_bytes()), (24, 16, 400));
    assert_adds_up(&heap);
    let Response::Error { message } = client.ask(&Request::PlantControl { blocks: 4, block_bytes: u32::MAX })
    else {
        panic!("no error")
    };
    assert!(message.contains("more than a control may be"), "{message}");

    let before = heapsoak_probe::clock::unix_ms();
    let advanced = client.ask(&Request::AdvanceClock { by_ms: 360_000 });
    assert_eq!(advanced, Response::Clock { advanced_ms: 360_000 });
    assert!(heapsoak_probe::clock::unix_ms() >= before + 360_000);

    let Response::Error { message } = client.line("{\"do\":\"dance\"}\n") else { panic!("no error") };
    assert!(message.contains("dance"), "{message}");
    assert!(matches!(client.ask(&Request::Hello), Response::Hello { .. }), "a bad request ends nothing");
    let Response::Error { .. } = client.line(&("x".repeat(5_000) + "\n")) else { panic!("no error") };
}
