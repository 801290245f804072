use crate::{
    Csv, Flamegraph, Folded, GitHub, Html, JUnit, Json, Markdown, Pprof, Renderer, Sarif, Speedscope,
    Terminal,
};

/// Names of the formats that a report can be printed in, in the order a list shows them.
pub const FORMATS: [&str; 12] = [
    "terminal",
    "json",
    "html",
    "markdown",
    "csv",
    "junit",
    "sarif",
    "github",
    "pprof",
    "folded",
    "flamegraph",
    "speedscope",
];

/// The renderer of a format by its name; none for a name that is not in [`FORMATS`]. In profiles, frames of std, the
/// allocator and the probe are shown only with `all_frames`.
#[must_use]
pub fn format(name: &str, colour: bool, all_frames: bool) -> Option<Box<dyn Renderer>> {
    let renderer: Box<dyn Renderer> = match name {
        "terminal" => Box::new(Terminal { colour }),
        "json" => Box::new(Json),
        "html" => Box::new(Html),
        "markdown" => Box::new(Markdown),
        "csv" => Box::new(Csv),
        "junit" => Box::new(JUnit),
        "sarif" => Box::new(Sarif),
        "github" => Box::new(GitHub),
        "pprof" => Box::new(Pprof { all_frames }),
        "folded" => Box::new(Folded { all_frames }),
        "flamegraph" => Box::new(Flamegraph { all_frames }),
        "speedscope" => Box::new(Speedscope { all_frames }),
        _ => return None,
    };
    Some(renderer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_is_listed_has_its_renderer_by_that_name() {
        for name in FORMATS {
            assert_eq!(format(name, false, false).expect(name).name(), name);
        }
        assert!(format("nonsense", false, false).is_none());
    }
}
