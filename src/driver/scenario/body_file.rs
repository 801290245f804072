//! Bodies from files: what a file holds takes the place of its name, so that a scenario's text stands for itself.

use std::fs;
use std::path::Path;

use toml::Spanned;

use super::ScenarioError;
use super::file::{Body, HexBody, ScenarioFile};
use super::problem::Source;

/// Largest file a body may come from: it is written into the header of every recording.
const LARGEST: u64 = 8 << 20;

/// The keys a body may be given by.
struct Slot<'a> {
    file: &'a mut Option<Spanned<String>>,
    text: &'a mut Option<Body>,
    bytes: &'a mut Option<HexBody>,
}

/// Reads every file that a body is to come from: a text, with its template parts, becomes `body`, anything else
/// `body-hex`. Paths are relative to the file that names them.
pub(super) fn inline(source: &Source, file: &mut ScenarioFile) -> Result<(), ScenarioError> {
    macro_rules! slot {
        ($of:expr) => {{
            let of = $of;
            Slot { file: &mut of.body_file, text: &mut of.body, bytes: &mut of.body_hex }
        }};
    }
    for kind in file.kind.values_mut() {
        for step in kind.setup.iter_mut().flatten() {
            slot!(step).fill(source)?;
        }
        slot!(kind).fill(source)?;
    }
    for stage in file.stage.values_mut() {
        for action in stage.before.iter_mut().chain(&mut stage.after) {
            slot!(action.get_mut()).fill(source)?;
        }
    }
    Ok(())
}

impl Slot<'_> {
    fn fill(self, source: &Source) -> Result<(), ScenarioError> {
        let Some(name) = self.file.take() else { return Ok(()) };
        let problem =
            |message: String, help: Option<String>| Err(source.problem_with_help(name.span(), message, help));
        if self.text.is_some() || self.bytes.is_some() {
            return problem("a body is given twice: keep 'body' or 'body-file'".to_owned(), None);
        }
        let path = source.path.parent().unwrap_or(Path::new("")).join(name.get_ref());
        let held = match fs::metadata(&path).and_then(|about| Ok((about.len(), fs::read(&path)?))) {
            Ok((length, held)) if length <= LARGEST => held,
            Ok((length, _)) => {
                let message = format!("'{}' has {length} bytes, a body at most {LARGEST}", path.display());
                return problem(message, None);
            }
            Err(error) => {
                let help = format!("the path is relative to {}", source.path.display());
                return problem(format!("can't read the body {}: {error}", path.display()), Some(help));
            }
        };
        match String::from_utf8(held) {
            Ok(text) => match text.parse() {
                Ok(template) => *self.text = Some(Body(template)),
                Err(error) => {
                    let help = "a '{{' that is meant as it stands is written {{choice:{{}}".to_owned();
                    return problem(format!("{}: {error}", path.display()), Some(help));
                }
            },
            Err(other) => *self.bytes = Some(HexBody(other.into_bytes())),
        }
        Ok(())
    }
}
