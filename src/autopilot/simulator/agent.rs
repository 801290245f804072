//! A stand-in for an agent: line-delimited JSON on stdin and stdout.
//!
//! It reads one line `{"type":"start","prompt":…,"session":…,"resume":…}` and works it off. A line of the prompt says
//! how: `simulate: tools=5 text=400 end=ok`, with so many tool uses, so many bytes of text in each assistant message,
//! and one of these ends:
//!
//! - `ok`: a result after the last tool.
//! - `error`: an error after half of the tools, the last one without a result.
//! - `expired`: the same, with the error code `session_expired`.
//! - `crash`: at the same point, ends with exit code 3 and no further word.
//! - `killed`: at the same point, ends by SIGKILL.
//! - `hang`: at the same point, falls silent until SIGTERM.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use rustix::process::{Signal, getpid, kill_process};
use serde_json::{Value, json};

use super::directive::{Directive, filling};
use super::lifeline::Lifeline;

/// Tools an agent can use.
const TOOLS: [&str; 4] = ["read_file", "search", "edit_file", "run_tests"];

/// Runs the agent with its command line's arguments (without program and subcommand).
///
/// `--while-pid PID` names the process it lives as long as; without it, that is its parent.
#[must_use]
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    match work(Lifeline::from_arguments(&arguments)) {
        Ok(code) => code,
        // The server has closed its end: nobody is interested any more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(lifeline: Lifeline) -> io::Result<ExitCode> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let start: Value = serde_json::from_str(&line)?;
    let field = |name: &str| start[name].as_str();
    let directive = Directive::find(field("prompt").unwrap_or_default());
    let session = field("resume").or_else(|| field("session")).unwrap_or("session-1").to_owned();
    let tools = directive.number("tools", 3);
    let text = filling(directive.number("text", 200));
    let end = directive.get("end").unwrap_or("ok");

    let mut out = io::stdout().lock();
    say(&mut out, &json!({ "type": "system", "session_id": session }))?;
    let used = if end == "ok" { tools } else { tools.div_ceil(2) };
    for number in 1..=used {
        // Unique over the resumptions of a session, as an agent's ids are.
        let id = format!("tool_{:08x}_{number:04}", std::process::id());
        let name = TOOLS[number % TOOLS.len()];
        say(&mut out, &json!({ "type": "assistant", "text": text }))?;
        say(&mut out, &json!({ "type": "tool_use", "id": id, "name": name }))?;
        if end == "ok" || number < used {
            say(&mut out, &json!({ "type": "tool_result", "tool_use_id": id, "text": text }))?;
        }
    }
    match end {
        "ok" => {
            say(&mut out, &json!({ "type": "assistant", "text": text }))?;
            say(&mut out, &json!({ "type": "result", "text": format!("done with {tools} tools") }))?;
        }
        "error" => say(&mut out, &error("overloaded", "the model is overloaded"))?,
        "expired" => say(&mut out, &error("session_expired", "the session has expired"))?,
        "crash" => return Ok(ExitCode::from(3)),
        "killed" => kill_process(getpid(), Signal::KILL)?,
        "hang" => lifeline.hang(),
        other => say(&mut out, &error("bad_directive", &format!("unknown end '{other}'")))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn error(code: &str, message: &str) -> Value {
    json!({ "type": "error", "code": code, "message": message })
}

fn say(out: &mut impl Write, message: &Value) -> io::Result<()> {
    // One write per message: the server reads them as they come.
    let mut line = message.to_string();
    line.push('\n');
    out.write_all(line.as_bytes())?;
    out.flush()
}
