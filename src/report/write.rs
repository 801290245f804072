use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Charts, Html, Json, RenderError, Rendered, Renderer, Run, ScenarioSummary, index};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A file could not be written.
    #[error("can't write {path}: {source}: make sure the folder is writable and the disk is not full")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Writes what every run leaves behind into `folder` (created if missing): `charts/*.svg`, `report.json` and
/// `report.html`. Returns the files, the page last.
///
/// Everything is rendered before the first file is written, and each file appears whole or not at all.
///
/// # Errors
///
/// See [`WriteError`].
pub fn write_run(folder: &Path, run: &Run<'_>) -> Result<Vec<PathBuf>, WriteError> {
    let renderers: [&dyn Renderer; 3] = [&Charts, &Json, &Html];
    let mut files = Vec::new();
    for renderer in renderers {
        files.extend(renderer.render(run)?);
    }
    write_all(folder, &files)
}

/// Writes the page and the summary above the folders of several scenarios: `charts/impact.svg`, `report.json` and
/// `report.html`. Returns the files, the page last.
///
/// # Errors
///
/// See [`WriteError`].
pub fn write_index(folder: &Path, scenarios: &[ScenarioSummary]) -> Result<Vec<PathBuf>, WriteError> {
    write_all(folder, &index::render(scenarios)?)
}

/// Writes files below a folder, which is made if it is missing; each appears whole or not at all. Returns their paths.
///
/// # Errors
///
/// See [`WriteError`].
pub fn write_all(folder: &Path, files: &[Rendered]) -> Result<Vec<PathBuf>, WriteError> {
    files
        .iter()
        .map(|file| {
            let path = folder.join(&file.path);
            write_whole(&path, &file.contents)
                .map_err(|source| WriteError::Io { path: path.clone(), source })?;
            Ok(path)
        })
        .collect()
}

/// Writes a file beside its place and moves it there, so that a reader never sees half of it.
fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(contents))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The error that matters is the first one; a part left behind is named like one.
        drop(fs::remove_file(&part));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_part_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("charts").join("x.svg");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path().join("charts")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let rendered = Rendered::new("report.json", "");
        let error = write_all(&file, &[rendered]).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("can't write {}", file.join("report.json").display()))
        );
    }
}
