//! The simulators as a program of their own, for the tests: the first argument says which one.

use std::process::ExitCode;

use autopilot::simulator::{agent, reviewer, tracker};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("agent") => agent::run(arguments),
        Some("reviewer") => reviewer::run(arguments),
        Some("tracker") => tracker::run(arguments),
        _ => {
            eprintln!("usage: autopilot-simulator agent|reviewer|tracker");
            ExitCode::from(2)
        }
    }
}
