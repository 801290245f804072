//! jemalloc inside the probe: idle, exact, or in another mode, as the environment says when it starts.

#[path = "snapshots.rs"]
mod snapshots;

use std::process::ExitCode;

use heapsoak_bench::scoping::{Part, Scoping};
use heapsoak_bench::subject::{self, SubjectError};
use heapsoak_bench::work::{Figures, Requests, Work};
use heapsoak_bench::{pair, server};
use heapsoak_probe::{Component, Probe};
use jemallocator::Jemalloc;
use tower_layer::Layer;

#[global_allocator]
static ALLOCATOR: Probe<Jemalloc> = Probe::new(Jemalloc);

static COMPONENTS: [Component; Part::ALL.len()] = [
    Component::new("auth"),
    Component::new("parse"),
    Component::new("validate"),
    Component::new("cache"),
    Component::new("labels"),
    Component::new("assign"),
    Component::new("store"),
    Component::new("render"),
    Component::new("respond"),
    Component::new("log"),
];

#[derive(Clone, Copy)]
struct Components;

impl Scoping for Components {
    #[inline(always)]
    fn within<R>(self, part: Part, run: impl FnOnce() -> R) -> R {
        COMPONENTS[part.index()].scope(run)
    }
}

fn main() -> ExitCode {
    heapsoak_probe::start();
    subject::run_with(|work| match work {
        Work::Requests(work) => Ok(requests(work)),
        Work::Pairs(work) => Ok(pair::run(work)),
        Work::Snapshots(work) if heapsoak_probe::is_counting() => Ok(snapshots::run(work)),
        Work::Snapshots(_) => Err(SubjectError::Unable),
    })
}

fn requests(work: &Requests) -> Figures {
    let (server, data) = server::router(Components, work.entries);
    let advance = |sent: u32| {
        if work.cohort_every.is_some_and(|every| sent.is_multiple_of(every)) {
            let _ = heapsoak_probe::advance_cohort(); // its survivors are not asked for
        }
    };
    // Around the router, not inside it: axum would box the layer's service for each request.
    let figures = if work.kinds {
        subject::requests(work, heapsoak_probe::layer().layer(server), advance)
    } else {
        subject::requests(work, server, advance)
    };
    drop(data);
    figures
}
