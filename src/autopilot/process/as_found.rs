use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heapsoak_probe::clock;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{Mutex, oneshot};

use super::child::{GRACE, group_of, signal_group};
use super::order::{Order, judge};
use super::output::keep;
use super::{HELD, ReviewError, Verdict};
use crate::{Defect, Defects};

/// Bytes read from a pipe at once.
const CHUNK: usize = 4096;

/// Which of the component's defects are switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flaws {
    /// The time-out is never cancelled and holds the whole record.
    timers: bool,
    /// At the time-out the child alone gets a SIGTERM, and whatever outlives it stays.
    orphans: bool,
    /// A broken pipe at the child's stdin is an error nobody handles.
    broken_pipe: bool,
}

impl Flaws {
    /// None when the component is healthy.
    pub(super) fn of(defects: &Defects) -> Option<Flaws> {
        let flaws = Flaws {
            timers: defects.has(Defect::ProcessTimers),
            orphans: defects.has(Defect::ProcessOrphans),
            broken_pipe: defects.has(Defect::ProcessBrokenPipe),
        };
        (flaws.timers || flaws.orphans || flaws.broken_pipe).then_some(flaws)
    }
}

/// Everything about one child, shared by the review, its time-out and the readers of its pipes. It goes when the last
/// of them does.
#[derive(Debug)]
struct Record {
    pid: Pid,
    child: Mutex<Child>,
    stdout: Mutex<Stream<ChildStdout>>,
    stderr: Mutex<Stream<ChildStderr>>,
    exited: AtomicBool,
    answered: AtomicBool,
}

/// A pipe with its buffer and what came out of it.
#[derive(Debug)]
struct Stream<P> {
    pipe: Option<P>,
    buffer: Box<[u8; CHUNK]>,
    output: Vec<u8>,
}

impl<P: AsyncRead + Unpin> Stream<P> {
    fn new(pipe: Option<P>) -> Stream<P> {
        Stream { pipe, buffer: Box::new([0; CHUNK]), output: Vec::new() }
    }

    /// Reads until every process that holds the other end has closed it.
    async fn drain(&mut self) {
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut self.buffer[..]).await {
                Ok(length) if length > 0 => keep(&self.buffer[..length], &mut self.output),
                _ => self.pipe = None,
            }
        }
    }
}

impl Record {
    fn spawn(order: &Order<'_>) -> io::Result<(Record, Option<ChildStdin>)> {
        let mut child = order.command().spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let record = Record {
            pid: group_of(&child)?,
            child: Mutex::new(child),
            stdout: Mutex::new(Stream::new(stdout)),
            stderr: Mutex::new(Stream::new(stderr)),
            exited: AtomicBool::new(false),
            answered: AtomicBool::new(false),
        };
        Ok((record, stdin))
    }

    /// Waits for the child's end and for the end of both pipes.
    async fn close(&self, flaws: Flaws) -> io::Result<ExitStatus> {
        let end = async {
            let status = self.child.lock().await.wait().await;
            self.exited.store(true, Ordering::Release);
            if !flaws.orphans {
                signal_group(self.pid, Signal::KILL);
            }
            status
        };
        let stdout = async { self.stdout.lock().await.drain().await };
        let stderr = async { self.stderr.lock().await.drain().await };
        tokio::join!(end, stdout, stderr).0
    }

    /// The review has its answer: from here on the record is only held, not needed.
    fn answer(&self) {
        self.answered.store(true, Ordering::Release);
        HELD.add(1);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.answered.load(Ordering::Acquire) {
            HELD.add(-1);
        }
    }
}

/// One review, as found: the time-out, the writer and the readers are tasks of their own, which nobody ends.
pub(super) async fn review(order: Order<'_>, flaws: Flaws) -> Result<Verdict, ReviewError> {
    let (record, stdin) = Record::spawn(&order).map_err(|error| order.not_started(error))?;
    let record = Arc::new(record);
    if let Some(stdin) = stdin {
        heapsoak_probe::spawn(feed(stdin, order.text.to_owned(), flaws));
    }
    let mut closed = heapsoak_probe::spawn({
        let record = record.clone();
        async move { record.close(flaws).await }
    });
    let (fire, fired) = oneshot::channel();
    let timer = heapsoak_probe::spawn(time_out(record.clone(), order.time_out, fire));

    let outcome = tokio::select! {
        closed = &mut closed => match closed {
            Ok(Ok(status)) => {
                let (stdout, stderr) = (record.stdout.lock().await, record.stderr.lock().await);
                judge(status, &stdout.output, &stderr.output)
            }
            Ok(Err(error)) => Err(ReviewError::Lost(error)),
            Err(_) => Err(ReviewError::Stopping),
        },
        Ok(()) = fired => {
            if !flaws.orphans {
                release(&record, &mut closed).await;
            }
            Err(ReviewError::TimedOut { after: order.time_out })
        }
        () = order.stop.cancelled() => Err(ReviewError::Stopping),
    };
    if !flaws.timers {
        timer.abort();
        // Cancelled, or fired already: either way it has let go of the record now.
        let _ = timer.await;
    }
    record.answer();
    outcome
}

/// The time-out: SIGTERM to the child, and the review is told. The record stays here until then, whatever became of
/// the review.
async fn time_out(record: Arc<Record>, after: Duration, fire: oneshot::Sender<()>) {
    clock::sleep(after).await;
    if !record.exited.load(Ordering::Acquire) {
        let _ = kill_process(record.pid, Signal::TERM);
    }
    let _ = fire.send(());
}

/// What the time-out leaves out when children are orphaned: the group is killed and the readers ended.
async fn release(record: &Record, closed: &mut tokio::task::JoinHandle<io::Result<ExitStatus>>) {
    signal_group(record.pid, Signal::TERM);
    if tokio::time::timeout(GRACE, &mut *closed).await.is_err() {
        signal_group(record.pid, Signal::KILL);
        if tokio::time::timeout(GRACE, &mut *closed).await.is_err() {
            closed.abort();
        }
    }
}

/// Writes the prompt. As found, nobody handles an error of the child's stdin, and an error nobody handles ends the
/// server.
async fn feed(mut stdin: ChildStdin, text: String, flaws: Flaws) {
    if let Err(error) = stdin.write_all(text.as_bytes()).await
        && flaws.broken_pipe
    {
        eprintln!("unhandled error event: write to the reviewer's stdin: {error}");
        std::process::exit(1);
    }
}
