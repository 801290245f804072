use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::CommandFactory as _;
use clap_complete::Shell;
use heapsoak_gate::GATE_SCHEMA;
use heapsoak_report::{REPORT_SCHEMA, Run};

use crate::arguments::{Arguments, Format, Output, Schema};
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "heapsoak", &mut script);
    data(&script)
}

/// Prints the manual page.
pub(crate) fn manual() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Internal, format!("can't make the manual page: {error}")))?;
    data(&page)
}

/// Prints a published schema.
pub(crate) fn schema(schema: Schema) -> Result<Exit, Failure> {
    match schema {
        Schema::Gate => data(GATE_SCHEMA.as_bytes()),
        Schema::Report => data(REPORT_SCHEMA.as_bytes()),
        Schema::Scenario => data(heapsoak_driver::scenario_schema().as_bytes()),
    }
}

/// Prints what runs found.
pub(crate) fn runs(runs: &[Run<'_>], output: Output) -> Result<Exit, Failure> {
    let mut files = output.renderer().render_all(runs)?.into_iter();
    if let Some(file) = files.next() {
        if output.format() == Format::Pprof {
            binary(&file.contents)?
        } else {
            data(&file.contents)?
        };
    }
    if output.format() == Format::Github {
        files.try_for_each(|file| add_to_summary(&file.contents))?;
    }
    Ok(Exit::Clean)
}

/// Adds a text to the summary of a step of GitHub Actions; elsewhere there is none to add to.
fn add_to_summary(text: &[u8]) -> Result<(), Failure> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let added = fs::OpenOptions::new().create(true).append(true).open(&path);
    added.and_then(|mut file| file.write_all(text)).map_err(|error| {
        let why = format!("can't add to {} (GITHUB_STEP_SUMMARY): {error}", path.display());
        Failure::new(Exit::Usage, why)
    })
}

/// Prints a file that was just written.
pub(crate) fn file(path: &Path) -> Result<Exit, Failure> {
    let text = fs::read(path).map_err(|error| {
        Failure::new(Exit::Internal, format!("can't read {} again: {error}", path.display()))
    })?;
    data(&text)
}

/// Says on stderr which files a person may want to open, unless `quiet`.
pub(crate) fn paths(written: &[PathBuf], quiet: bool) {
    if quiet {
        return;
    }
    for path in written.iter().filter(|path| path.extension().is_none_or(|extension| extension != "svg")) {
        anstream::eprintln!("wrote {}", path.display());
    }
}

/// Writes to stdout what is no text, unless people would have to look at it.
fn binary(bytes: &[u8]) -> Result<Exit, Failure> {
    if std::io::stdout().is_terminal() {
        let why = "a profile for pprof is no text: send it to a file (heapsoak report … --format pprof >heap.pb.gz)";
        return Err(Failure::new(Exit::Usage, why));
    }
    let mut stdout = std::io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes a command's result to stdout. Colours are dropped when stdout is not a terminal or `NO_COLOR` is set. A
/// reader that has had enough (`heapsoak … | head`) is no error.
pub(crate) fn data(bytes: impl AsRef<[u8]>) -> Result<Exit, Failure> {
    let mut stdout = anstream::stdout().lock();
    written(stdout.write_all(bytes.as_ref()).and_then(|()| stdout.flush()))
}

fn written(result: std::io::Result<()>) -> Result<Exit, Failure> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Internal, format!("can't write to stdout: {error}")))
        }
        _ => Ok(Exit::Clean),
    }
}
