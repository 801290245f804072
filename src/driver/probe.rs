use std::io;
use std::path::Path;
use std::time::Duration;

use heapsoak_record::wire::{PROTOCOL_VERSION, ProbeSnapshot, Request, Response, Stillness};
use heapsoak_record::{Captured, Stacks};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// How long the probe may take to answer. Its thread does nothing else, so this is far more than it needs.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// How long the probe may take to write a profile: dhat looks up the name of every function on every stack.
const PROFILE_TIME: Duration = Duration::from_secs(180);

/// How long the probe may take to describe all stacks: a million of them are hundreds of megabytes.
const STACKS_TIME: Duration = Duration::from_secs(120);

/// The driver's end of the probe's private socket.
#[derive(Debug)]
pub(crate) struct Probe {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
}

/// Who answered at the socket.
#[derive(Debug, Clone)]
pub(crate) struct Hello {
    pub(crate) pid: u32,
    pub(crate) memory_limit_bytes: Option<u64>,
}

/// Why the probe can't be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("the probe's socket failed: {0}")]
    Io(#[from] io::Error),
    #[error("the probe did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the probe closed its socket")]
    Closed,
    #[error(
        "the probe speaks version {found} of the protocol, this driver version {PROTOCOL_VERSION} (probe {probe}): build both from the same release"
    )]
    Version { found: u32, probe: String },
    #[error("the probe answered what can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the probe refused: {0}")]
    Refused(String),
    #[error("the probe answered something else than was asked")]
    Mismatch,
}

impl Probe {
    /// Connects and checks the protocol's version.
    pub(crate) async fn connect(socket: &Path) -> Result<(Probe, Hello), ProbeError> {
        let (reader, writer) = UnixStream::connect(socket).await?.into_split();
        let mut probe = Probe { reader: BufReader::with_capacity(1 << 16, reader), writer, line: Vec::new() };
        match probe.ask(&Request::Hello).await? {
            Response::Hello {
                protocol_version: PROTOCOL_VERSION,
                pid,
                memory_limit_bytes,
                sample_interval_bytes,
                ..
            } => {
                // A verdict wants exact counts: a server that keeps a sample is asked to count from here on.
                if sample_interval_bytes.is_some() {
                    probe.ask(&Request::CountExactly).await?;
                }
                Ok((probe, Hello { pid, memory_limit_bytes }))
            }
            Response::Hello { protocol_version, probe_version, .. } => {
                Err(ProbeError::Version { found: protocol_version, probe: probe_version })
            }
            other => Err(mismatch(other)),
        }
    }

    pub(crate) async fn stillness(&mut self) -> Result<Stillness, ProbeError> {
        match self.ask(&Request::Stillness).await? {
            Response::Stillness(stillness) => Ok(stillness),
            other => Err(mismatch(other)),
        }
    }

    pub(crate) async fn snapshot(&mut self) -> Result<ProbeSnapshot, ProbeError> {
        match self.ask(&Request::Snapshot).await? {
            Response::Snapshot(snapshot) => Ok(*snapshot),
            other => Err(mismatch(other)),
        }
    }

    pub(crate) async fn advance_cohort(&mut self) -> Result<(), ProbeError> {
        match self.ask(&Request::AdvanceCohort).await? {
            Response::Cohort { .. } => Ok(()),
            other => Err(mismatch(other)),
        }
    }

    /// Returns the sum of all advances in milliseconds.
    pub(crate) async fn advance_clock(&mut self, by_ms: u64) -> Result<u64, ProbeError> {
        match self.ask(&Request::AdvanceClock { by_ms }).await? {
            Response::Clock { advanced_ms } => Ok(advanced_ms),
            other => Err(mismatch(other)),
        }
    }

    /// Has the probe leak on purpose. Returns the blocks and bytes it leaked so far.
    pub(crate) async fn plant_control(
        &mut self,
        blocks: u32,
        block_bytes: u32,
    ) -> Result<(u64, u64), ProbeError> {
        match self.ask(&Request::PlantControl { blocks, block_bytes }).await? {
            Response::ControlPlanted { blocks, bytes } => Ok((blocks, bytes)),
            other => Err(mismatch(other)),
        }
    }

    /// Has the server's profiler write its profile.
    pub(crate) async fn write_profile(&mut self) -> Result<(), ProbeError> {
        match self.ask_patiently(&Request::WriteProfile, PROFILE_TIME).await? {
            Response::ProfileWritten => Ok(()),
            other => Err(mismatch(other)),
        }
    }

    /// Captures stacks by a rule from now on.
    pub(crate) async fn capture_stacks(&mut self, rule: &Captured) -> Result<(), ProbeError> {
        let request = Request::CaptureStacks { component: rule.component.clone(), rate: rule.rate };
        match self.ask(&request).await? {
            Response::Capturing => Ok(()),
            other => Err(mismatch(other)),
        }
    }

    /// The stacks captured so far.
    pub(crate) async fn stacks(&mut self) -> Result<Stacks, ProbeError> {
        match self.ask_patiently(&Request::Stacks, STACKS_TIME).await? {
            Response::Stacks(stacks) => Ok(*stacks),
            other => Err(mismatch(other)),
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Response, ProbeError> {
        self.ask_patiently(request, ANSWER_TIME).await
    }

    async fn ask_patiently(&mut self, request: &Request, patience: Duration) -> Result<Response, ProbeError> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        timeout(patience, self.exchange(&line)).await.map_err(|_| ProbeError::Silent(patience))?
    }

    async fn exchange(&mut self, line: &[u8]) -> Result<Response, ProbeError> {
        self.writer.write_all(line).await?;
        self.line.clear();
        if self.reader.read_until(b'\n', &mut self.line).await? == 0 {
            return Err(ProbeError::Closed);
        }
        Ok(serde_json::from_slice(&self.line)?)
    }
}

fn mismatch(response: Response) -> ProbeError {
    match response {
        Response::Error { message } => ProbeError::Refused(message),
        _ => ProbeError::Mismatch,
    }
}
