//! heapsoak finds memory leaks in Rust servers before a release does.

mod arguments;
mod check;
mod compare;
mod doctor;
mod exit;
mod expectation;
mod explain;
mod failure;
mod folder;
mod gate;
mod hidden;
mod history;
mod interrupt;
mod jemalloc;
mod own_heap;
mod own_server;
mod print;
mod progress;
mod report;
mod resume;
mod scenarios;
mod shrink;
mod soak;
mod watch;
mod zoom;

use std::process::ExitCode;

use clap::Parser as _;
use heapsoak_probe::Probe;
use heapsoak_probe::profiler::Choosing;
use jemallocator::Jemalloc;

use crate::arguments::{Arguments, Command, Scenario};
use crate::exit::Exit;
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: Probe<Choosing<Jemalloc>> = Probe::new(Choosing::new(Jemalloc));

fn main() -> ExitCode {
    if let Some(code) = hidden::dispatch() {
        return code;
    }
    match carry_out(Arguments::parse().command) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            failure.exit().into()
        }
    }
}

fn carry_out(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Soak(arguments) => soak::soak(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::History(arguments) => history::history(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Shrink(arguments) => shrink::shrink(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Watch(arguments) => watch::watch(&arguments),
        Command::Diff(arguments) => compare::diff(&arguments),
        Command::VerifyFix(arguments) => compare::verify_fix(&arguments),
        Command::Scenario(Scenario::List) => scenarios::list(),
        Command::Scenario(Scenario::New(arguments)) => scenarios::draft(&arguments),
        Command::Scenario(Scenario::Validate { scenarios }) => scenarios::validate(&scenarios),
        Command::Schema(schema) => print::schema(schema),
        Command::Completions { shell } => print::completions(shell),
        Command::Man => print::manual(),
    }
}
