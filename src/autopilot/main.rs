//! The server as a program of its own, without the probe's allocator. The tool starts it as a subcommand of its own
//! binary instead, with the probe; this one is for its tests, and for trying it out.

use std::process::ExitCode;

use clap::Parser;

/// Runs the autopilot server.
#[derive(Parser)]
#[command(version)]
struct Flags {
    #[command(flatten)]
    config: autopilot::Config,
}

#[tokio::main]
async fn main() -> ExitCode {
    match autopilot::serve(Flags::parse().config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.is_bad_input() { 2 } else { 1 })
        }
    }
}
