//! A non-heap resource over requests.

use heapsoak_verdict::{ComponentVerdict, ResourceJudgement};

use super::growth::{lines, trend};
use super::plot::Plot;

/// The value of a resource at the quiet points.
pub(crate) fn plot(resource: &ResourceJudgement) -> Plot {
    let leaks = resource.verdict == ComponentVerdict::Leak;
    let points = resource
        .series
        .iter()
        .map(|point| (point.requests as f64, point.value as f64, point.after_advance))
        .collect();
    let mut marks = lines(points, leaks);
    if leaks {
        marks.extend(trend(&marks, resource.growth_per_1000_requests.estimate / 1000.0, 0.0));
    }
    Plot {
        title: resource.name.clone(),
        shows: "at each quiet point",
        across: "requests",
        unit: resource.unit,
        marks,
    }
}
