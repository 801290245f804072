use std::env;
use std::process::ExitCode;

use autopilot::simulator;
use clap::Parser;

use crate::exit::Exit;

/// Runs a hidden subcommand if the program was called with one: the built-in server and the simulators it works with.
///
/// The simulators come before clap and tokio are touched: a soak starts them by the thousand.
pub(crate) fn dispatch() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let name = arguments.next()?;
    let texts = arguments.map(|argument| argument.to_string_lossy().into_owned());
    match name.to_str()? {
        "__agent" => Some(simulator::agent::run(texts)),
        "__reviewer" => Some(simulator::reviewer::run(texts)),
        "__tracker" => Some(simulator::tracker::run(texts)),
        "__autopilot" => Some(serve()),
        _ => None,
    }
}

/// The built-in server's command line.
#[derive(Debug, Parser)]
#[command(name = "heapsoak __autopilot", about = "Runs the built-in autopilot server")]
struct Autopilot {
    #[command(flatten)]
    config: autopilot::Config,
}

fn serve() -> ExitCode {
    heapsoak_probe::start();
    let Autopilot { config } = Autopilot::parse_from(env::args_os().skip(1));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: can't start the runtime: {error}");
            return Exit::Internal.into();
        }
    };
    match runtime.block_on(autopilot::serve(config)) {
        Ok(()) => Exit::Clean.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::Usage.into()
        }
    }
}
