//! The probe's end of the private socket, with invented counts: 100 bytes a request, half of them freed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::{env, process, thread};

use heapsoak_record::wire::{
    PROFILE_VARIABLE, PROFILER_VARIABLE, PROTOCOL_VERSION, ProbeSnapshot, Request, Response, SOCKET_VARIABLE,
    Stillness,
};
use heapsoak_record::{
    Blocks, Captured, Cell, Cohort, ContextHeap, Frame, Gauge, Heap, Resource, Stack, Stacks, Unit,
};

use crate::State;

/// Serves the socket that the environment names.
pub(crate) fn start(state: &Arc<Mutex<State>>) {
    let path = env::var(SOCKET_VARIABLE).expect("the driver names a socket");
    let listener = UnixListener::bind(path).expect("the socket can be made");
    let state = Arc::clone(state);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let state = Arc::clone(&state);
            thread::spawn(move || answer_all(&stream, &state));
        }
    });
}

fn answer_all(stream: &UnixStream, state: &Mutex<State>) {
    let mut writer = stream;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let request: Request = serde_json::from_str(&line).expect("the driver speaks the protocol");
        let response = answer(&request, &mut state.lock().expect("no thread panics"));
        let mut line = serde_json::to_string(&response).expect("it can be written");
        line.push('\n');
        if writer.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(request: &Request, state: &mut State) -> Response {
    match request {
        Request::Hello => Response::Hello {
            protocol_version: PROTOCOL_VERSION,
            probe_version: "fake".to_owned(),
            pid: process::id(),
            memory_limit_bytes: Some(1 << 30),
            sample_interval_bytes: None,
        },
        Request::CountExactly => Response::CountingExactly,
        Request::Stillness => Response::Stillness(Stillness {
            allocated_blocks: state.requests.values().sum(),
            freed_blocks: 0,
            busy: if state.busy > 0 { vec![busy(state)] } else { Vec::new() },
        }),
        Request::Snapshot => Response::Snapshot(Box::new(snapshot(state))),
        Request::AdvanceCohort => {
            state.cohort += 1;
            Response::Cohort { now: Cohort(state.cohort) }
        }
        Request::AdvanceClock { by_ms } => {
            state.advanced_ms += by_ms;
            state.busy = 0;
            Response::Clock { advanced_ms: state.advanced_ms }
        }
        Request::PlantControl { blocks, block_bytes } => {
            state.planted.0 += u64::from(*blocks);
            state.planted.1 += u64::from(*blocks) * u64::from(*block_bytes);
            Response::ControlPlanted { blocks: state.planted.0, bytes: state.planted.1 }
        }
        Request::WriteProfile => write_profile(),
        Request::CaptureStacks { component, rate } => {
            state.captured.push(Captured { component: component.clone(), rate: *rate });
            Response::Capturing
        }
        Request::Stacks => Response::Stacks(Box::new(stacks(state))),
    }
}

/// As the probe does: to the file the environment names, if it names a profiler.
fn write_profile() -> Response {
    match (env::var(PROFILER_VARIABLE), env::var(PROFILE_VARIABLE)) {
        (Ok(profiler), Ok(file)) => {
            std::fs::write(file, profiler).expect("the file can be written");
            Response::ProfileWritten
        }
        _ => Response::Error { message: "no profiler runs in the server".to_owned() },
    }
}

/// One stack that holds 50 bytes for each request.
fn stacks(state: &State) -> Stacks {
    let requests = state.requests.values().sum();
    let stack = Stack {
        path: vec!["fake".to_owned()],
        frames: vec![0],
        allocated: Blocks { bytes: requests * 100, blocks: requests },
        live: Blocks { bytes: requests * 50, blocks: requests },
        samples: requests,
        live_samples: requests,
        ..Stack::default()
    };
    Stacks {
        captured: state.captured.clone(),
        frames: vec![Frame { module: None, address: 0x1000 }],
        stacks: vec![stack],
        ..Stacks::default()
    }
}

fn busy(state: &State) -> Gauge {
    Gauge { name: "fake.busy".to_owned(), value: state.busy, busy: true }
}

fn snapshot(state: &State) -> ProbeSnapshot {
    let context = |(kind, &requests): (&String, &u64)| ContextHeap {
        path: vec!["fake".to_owned()],
        kind: (!kind.is_empty()).then(|| kind.clone()),
        allocated_bytes: requests * 100,
        allocated_blocks: requests,
        freed_bytes: requests * 50,
        freed_blocks: 0,
        survivors: vec![Cell { cohort: Cohort(0), live_bytes: requests * 50, live_blocks: requests }],
    };
    let requests: u64 = state.requests.values().sum();
    ProbeSnapshot {
        heap: Heap {
            cohort: Cohort(state.cohort),
            contexts: state.requests.iter().map(context).collect(),
            total_live_bytes: requests * 50,
            total_live_blocks: requests,
            ..Heap::default()
        },
        resources: vec![Resource { name: "threads".to_owned(), value: 3, unit: Unit::Count }],
        gauges: vec![busy(state)],
        clock_advanced_ms: state.advanced_ms,
        requests: None,
    }
}
