use heapsoak_probe::clock;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

use super::child::{GRACE, OwnedChild, Pipes};
use super::order::{Order, judge};
use super::output::collect;
use super::{ReviewError, Verdict};

/// One review. Child, pipes, time-out and output belong to this future and end with it, whether it is answered, timed
/// out, stopped or dropped.
pub(super) async fn review(order: Order<'_>) -> Result<Verdict, ReviewError> {
    let (mut child, pipes) =
        OwnedChild::spawn(&mut order.command()).map_err(|error| order.not_started(error))?;
    let outcome = tokio::select! {
        outcome = clock::timeout(order.time_out, follow(&mut child, pipes, order.text)) => {
            outcome.unwrap_or(Err(ReviewError::TimedOut { after: order.time_out }))
        }
        () = order.stop.cancelled() => Err(ReviewError::Stopping),
    };
    child.end().await;
    outcome
}

/// Feeds and reads the child until it has ended.
async fn follow(child: &mut OwnedChild, pipes: Pipes, text: &str) -> Result<Verdict, ReviewError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = {
        let talk = async {
            let errors = async {
                if let Some(pipe) = pipes.stderr {
                    collect(pipe, &mut stderr).await;
                }
            };
            tokio::join!(feed(pipes.stdin, text), collect(pipes.stdout, &mut stdout), errors);
        };
        tokio::pin!(talk);
        tokio::select! {
            status = child.wait() => {
                // With the child its group was killed, so the pipes close now. Only a descendant that left the group
                // could keep them open; it is not waited for.
                let _ = tokio::time::timeout(GRACE, talk).await;
                status
            }
            () = &mut talk => child.wait().await,
        }
    };
    judge(status.map_err(ReviewError::Lost)?, &stdout, &stderr)
}

/// Writes the prompt and closes the pipe. A child may answer, or fail, without having read it all: its status and its
/// output say what came of it, so a broken pipe is no error of its own.
async fn feed(mut stdin: ChildStdin, text: &str) {
    let _ = stdin.write_all(text.as_bytes()).await;
}
