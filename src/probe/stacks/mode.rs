//! What the environment asks for at the start.

use heapsoak_record::CaptureRate;
use heapsoak_record::wire::MODE_VARIABLE;

use super::rules::capture_stacks;

/// What `HEAPSOAK_MODE` can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// Counts alone.
    Exact,
    /// A sample of the blocks that live, and no counts: decided when the process first allocated.
    Sampled,
    /// Stacks of all allocations, or of a sample.
    Stacks(CaptureRate),
    /// Every stack of one component.
    Zoom(String),
}

impl Mode {
    fn parse(text: &str) -> Option<Mode> {
        match (text, text.split_once(':')) {
            ("" | "exact", _) => Some(Mode::Exact),
            ("sampled", _) => Some(Mode::Sampled),
            ("stacks", _) => Some(Mode::Stacks(CaptureRate::Every)),
            (_, Some(("stacks", bytes))) => {
                let bytes = bytes.parse().ok().filter(|bytes| *bytes > 0)?;
                Some(Mode::Stacks(CaptureRate::OneIn { bytes }))
            }
            (_, Some(("zoom", component))) if !component.is_empty() => Some(Mode::Zoom(component.to_owned())),
            _ => None,
        }
    }
}

/// Captures stacks as the environment asks. What can't be done is said in one line on stderr; counts are exact then as
/// ever.
pub(crate) fn begin_as_asked() {
    let Some(text) = std::env::var_os(MODE_VARIABLE) else { return };
    let text = text.to_string_lossy();
    let captured = match Mode::parse(&text) {
        Some(Mode::Exact | Mode::Sampled) => return,
        Some(Mode::Stacks(rate)) => capture_stacks(None, rate),
        Some(Mode::Zoom(component)) => capture_stacks(Some(&component), CaptureRate::Every),
        None => {
            return eprintln!(
                "heapsoak: {MODE_VARIABLE}={text} is not exact, sampled, stacks, stacks:BYTES or zoom:COMPONENT; \
                 counting goes on as in exact"
            );
        }
    };
    if let Err(error) = captured {
        eprintln!("heapsoak: {MODE_VARIABLE}={text}: {error}; counting goes on as in exact");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_exact_stacks_some_of_them_or_a_zoom_that_names_its_component() {
        assert_eq!(Mode::parse("exact"), Some(Mode::Exact));
        assert_eq!(Mode::parse(""), Some(Mode::Exact));
        assert_eq!(Mode::parse("sampled"), Some(Mode::Sampled));
        assert_eq!(Mode::parse("stacks"), Some(Mode::Stacks(CaptureRate::Every)));
        assert_eq!(Mode::parse("stacks:4096"), Some(Mode::Stacks(CaptureRate::OneIn { bytes: 4_096 })));
        assert_eq!(Mode::parse("zoom:queue"), Some(Mode::Zoom("queue".to_owned())));
        assert_eq!(Mode::parse("zoom:a:b"), Some(Mode::Zoom("a:b".to_owned())));
        for wrong in ["zoom", "zoom:", "Stacks", "stacks ", "stacks:", "stacks:0", "stacks:-1", "nonsense"] {
            assert_eq!(Mode::parse(wrong), None, "{wrong}");
        }
    }
}
