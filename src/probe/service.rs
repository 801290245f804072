//! The private socket: one JSON line a request, one JSON line an answer.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use heapsoak_record::wire::{PROTOCOL_VERSION, ProbeSnapshot, Request, Response, Stillness};
use rustix::fs::{Mode, chmod};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen as start_listening, socket_with,
};

use crate::{advance_cohort, capture_stacks, clock, control, gauge, heap, mode, registry, resources, stacks};

/// Longest request line, in bytes.
const LONGEST_REQUEST: u64 = 4_096;
/// Clients that wait to be accepted.
const BACKLOG: i32 = 16;

/// Serves the socket on a thread of its own.
pub(crate) fn listen(path: &Path) -> io::Result<()> {
    if UnixStream::connect(path).is_ok() {
        return Ok(()); // another process serves it
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    // Between bind and listen no one can connect: the mode is set before the door opens.
    chmod(path, Mode::RUSR | Mode::WUSR)?;
    start_listening(&socket, BACKLOG)?;
    let listener = UnixListener::from(socket);
    spawn(move || accept(&listener))
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .name("heapsoak".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            let _own = registry::enter_own();
            run();
        })
        .map(drop)
}

fn accept(listener: &UnixListener) {
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                // A client whose thread can't be started is hung up on; it will say so itself.
                let _ = spawn(move || {
                    let _ = serve(&client);
                });
            }
            // Out of descriptors, most likely: the server's own trouble, which passes or is being measured.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn serve(client: &UnixStream) -> io::Result<()> {
    let mut lines = BufReader::new(client);
    let mut answers = BufWriter::new(client);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.by_ref().take(LONGEST_REQUEST).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let response = match serde_json::from_str(&line) {
            Ok(request) => answer(&request),
            Err(error) => Response::Error { message: format!("not a request of this protocol: {error}") },
        };
        serde_json::to_writer(&mut answers, &response)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
        if !line.ends_with('\n') {
            return Ok(()); // too long, or cut: what follows can't be told apart
        }
    }
}

fn answer(request: &Request) -> Response {
    match *request {
        Request::Hello => Response::Hello {
            protocol_version: PROTOCOL_VERSION,
            probe_version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            memory_limit_bytes: resources::memory_limit_bytes(),
            sample_interval_bytes: heap::sample_interval_bytes(),
        },
        Request::CountExactly => {
            mode::count();
            Response::CountingExactly
        }
        Request::Stillness => {
            let (allocated_blocks, freed_blocks) = heap::activity();
            let busy = gauge::all().into_iter().filter(|gauge| gauge.busy && gauge.value > 0).collect();
            Response::Stillness(Stillness { allocated_blocks, freed_blocks, busy })
        }
        Request::Snapshot => Response::Snapshot(Box::new(ProbeSnapshot {
            heap: heap(),
            resources: resources::all(),
            gauges: gauge::all(),
            clock_advanced_ms: clock::advanced_ms(),
            requests: requests(),
        })),
        Request::AdvanceCohort => Response::Cohort { now: advance_cohort() },
        Request::AdvanceClock { by_ms } => {
            let sum = clock::advance(Duration::from_millis(by_ms));
            Response::Clock { advanced_ms: u64::try_from(sum.as_millis()).unwrap_or(u64::MAX) }
        }
        Request::PlantControl { blocks, block_bytes } => match control::plant(blocks, block_bytes) {
            Some(sum) => Response::ControlPlanted { blocks: sum.blocks, bytes: sum.bytes },
            None => Response::Error {
                message: format!("{blocks} blocks of {block_bytes} bytes are more than a control may be"),
            },
        },
        Request::WriteProfile => write_profile(),
        Request::CaptureStacks { ref component, rate } => match capture_stacks(component.as_deref(), rate) {
            Ok(()) => Response::Capturing,
            Err(error) => Response::Error { message: error.to_string() },
        },
        Request::Stacks => Response::Stacks(Box::new(stacks())),
    }
}

/// Requests that came through the layer, if there is one.
fn requests() -> Option<u64> {
    #[cfg(feature = "tower")]
    return crate::layer::requests();
    #[cfg(not(feature = "tower"))]
    None
}

#[cfg(feature = "profiler")]
fn write_profile() -> Response {
    match crate::profiler::write() {
        Ok(_) => Response::ProfileWritten,
        Err(error) => Response::Error { message: error.to_string() },
    }
}

#[cfg(not(feature = "profiler"))]
fn write_profile() -> Response {
    Response::Error {
        message: "the server's heapsoak-probe was built without its feature `profiler`".to_owned(),
    }
}
