//! A stand-in for a reviewing model: prompt on stdin, `APPROVE` or `REJECT` and some text on stdout.
//!
//! A line of the prompt says how it behaves: `simulate: end=ok output=2000 verdict=approve`, with so many bytes of
//! text, and one of these ends:
//!
//! - `ok`: a verdict.
//! - `fail`: exit code 2 and a word on stderr.
//! - `killed`: ends by SIGKILL, as at the hands of the kernel when memory is short.
//! - `no-stdin`: ends with exit code 1 when it has read the first bytes of its stdin, which hold this line. A prompt of
//!   more than 128 KiB then surely breaks its writer's pipe.
//! - `hang`: falls silent until SIGTERM.
//! - `ignore-term`: falls silent and takes no notice of SIGTERM.
//! - `grandchild`: gives a verdict and ends, and leaves a process behind that keeps stdout and stderr open and takes
//!   no notice of SIGTERM.

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Signal, getpid, kill_process};

use super::directive::{Directive, filling};
use super::lifeline::Lifeline;

/// The directive has to be among the first so many bytes of a prompt.
const CHUNK: u64 = 4096;

/// Argument that makes this program the process a `grandchild` leaves behind.
const LEFT_BEHIND: &str = "--left-behind";

/// Runs the reviewer with its command line's arguments (without program and subcommand); the model is the last one.
///
/// `--while-pid PID` names the process it lives as long as; without it, that is its parent.
#[must_use]
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let lifeline = Lifeline::from_arguments(&arguments);
    let outcome = if arguments.iter().any(|argument| argument == LEFT_BEHIND) {
        lifeline.hang_deaf().map(|()| ExitCode::SUCCESS)
    } else {
        review(lifeline, arguments.last().map_or("", String::as_str))
    };
    match outcome {
        Ok(code) => code,
        // The server has closed its end: nobody is interested any more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reviewer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn review(lifeline: Lifeline, model: &str) -> io::Result<ExitCode> {
    let mut stdin = io::stdin().lock();
    let mut prompt = Vec::new();
    stdin.by_ref().take(CHUNK).read_to_end(&mut prompt)?;
    let directive = Directive::find(&String::from_utf8_lossy(&prompt));
    let end = directive.get("end").unwrap_or("ok");
    if end == "no-stdin" {
        return Ok(ExitCode::FAILURE);
    }
    io::copy(&mut stdin, &mut io::sink())?;
    match end {
        "fail" => {
            eprintln!("model {model} is not available");
            return Ok(ExitCode::from(2));
        }
        "killed" => kill_process(getpid(), Signal::KILL)?,
        "hang" => lifeline.hang(),
        "ignore-term" => lifeline.hang_deaf()?,
        "grandchild" => leave_behind(lifeline)?,
        _ => {}
    }
    let verdict = directive.get("verdict").unwrap_or("approve").to_uppercase();
    let text = filling(directive.number("output", 500));
    let mut out = io::stdout().lock();
    write!(out, "{verdict}\n{model}: {text}\n")?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Starts this very program once more, with stdout and stderr inherited.
fn leave_behind(lifeline: Lifeline) -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    // The program may know this simulator as a subcommand.
    command.args(env::args_os().skip(1).take(1)).arg(LEFT_BEHIND).stdin(Stdio::null());
    if let Some(pid) = lifeline.pid() {
        command.args(["--while-pid", &pid.as_raw_nonzero().to_string()]);
    }
    // Not waited for: that it outlives this process is the point.
    command.spawn().map(drop)
}
