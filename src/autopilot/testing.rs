//! What the unit tests of several components need.

use std::path::Path;

use clap::Parser;

use crate::Config;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// A configuration for tests: secret `secret`, nothing behind the tracker's URL and the commands.
pub(crate) fn config(folder: &Path, as_found: &str) -> Config {
    let flags = [
        "autopilot",
        "--webhook-secret=secret",
        "--tracker-url=http://127.0.0.1:1",
        "--agent-command=false",
        "--reviewer-command=false",
        "--data",
        folder.to_str().expect("temporary folders have readable names"),
        "--as-found",
        as_found,
    ];
    Flags::try_parse_from(flags).expect("the flags are right").config
}
