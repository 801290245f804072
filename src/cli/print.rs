use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::CommandFactory as _;
use clap_complete::Shell;
use heapsoak_report::{REPORT_SCHEMA, Run};

use crate::arguments::{Arguments, Format, Schema};
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
        Schema::Report => data(REPORT_SCHEMA.as_bytes()),
    }
}

/// Prints what runs found.
pub(crate) fn runs(runs: &[Run<'_>], format: Format) -> Result<Exit, Failure> {
    let mut files = format.renderer().render_all(runs)?.into_iter();
    if let Some(file) = files.next() {
        data(&file.contents)?;
    }
    if format == Format::Github {
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

/// Writes a command's result to stdout. Colours are dropped when stdout is not a terminal or `NO_COLOR` is set. A
/// reader that has had enough (`heapsoak … | head`) is no error.
pub(crate) fn data(bytes: impl AsRef<[u8]>) -> Result<Exit, Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(bytes.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Internal, format!("can't write to stdout: {error}")))
        }
        _ => Ok(Exit::Clean),
    }
}
