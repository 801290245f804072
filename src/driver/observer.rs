use heapsoak_record::wire::{ProbeSnapshot, Stillness};

use crate::outside::Outside;
use crate::probe::{Probe, ProbeError};

/// Who tells what a server holds: its probe, or the kernel and whatever else can be asked from outside.
#[derive(Debug)]
pub(crate) enum Observer {
    /// The probe in the server.
    Probe(Box<Probe>),
    /// A look from outside.
    Outside(Box<Outside>),
}

/// Why a server can't be observed any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError {
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error("{0}")]
    Outside(String),
}

impl Observer {
    /// Numbers that stand still when the server does.
    pub(crate) async fn stillness(&mut self) -> Result<Stillness, ObserveError> {
        match self {
            Observer::Probe(probe) => Ok(probe.stillness().await?),
            Observer::Outside(outside) => outside.stillness(),
        }
    }

    /// Everything that can be known of the server.
    pub(crate) async fn snapshot(&mut self) -> Result<Seen, ObserveError> {
        match self {
            Observer::Probe(probe) => Ok(probe.snapshot().await?.into()),
            Observer::Outside(outside) => outside.look().await,
        }
    }

    /// Begins the next cohort, where there are cohorts.
    pub(crate) async fn advance_cohort(&mut self) -> Result<(), ObserveError> {
        match self {
            Observer::Probe(probe) => Ok(probe.advance_cohort().await?),
            Observer::Outside(_) => Ok(()),
        }
    }

    /// Advances the server's clock; returns the sum of all advances in milliseconds.
    pub(crate) async fn advance_clock(&mut self, by_ms: u64) -> Result<u64, ObserveError> {
        match self {
            Observer::Probe(probe) => Ok(probe.advance_clock(by_ms).await?),
            Observer::Outside(_) => {
                Err(ObserveError::Outside("a server without the probe has no clock to advance".to_owned()))
            }
        }
    }

    /// Has the server's profiler write its profile.
    pub(crate) async fn write_profile(&mut self) -> Result<(), ObserveError> {
        match self {
            Observer::Probe(probe) => Ok(probe.write_profile().await?),
            Observer::Outside(_) => {
                Err(ObserveError::Outside("a server without the probe has no profiler".to_owned()))
            }
        }
    }

    /// By which share the mixture of the requests is to vary from cycle to cycle, in a run with restarts or without.
    pub(crate) fn mixture_variation(&self, restarts: bool) -> f64 {
        match self {
            // What a server loads when it starts was allocated for no request: which kind it comes from shows only by how
            // much more of it there is after more such requests. Less will do than from outside.
            Observer::Probe(_) if restarts => 0.5,
            Observer::Probe(_) => 0.0,
            // Only this tells which kind of request the memory goes with.
            Observer::Outside(_) => 0.8,
        }
    }

    /// Looks in a row that must see the same before the server counts as being at rest.
    pub(crate) fn looks(&self) -> u32 {
        match self {
            Observer::Probe(_) => 3,
            // Time on the processor is counted in hundredths of a second: it takes longer to see it stand still.
            Observer::Outside(_) => 6,
        }
    }
}

/// What was seen of a server at one moment.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) heap: Option<heapsoak_record::Heap>,
    pub(crate) resources: Vec<heapsoak_record::Resource>,
    pub(crate) gauges: Vec<heapsoak_record::Gauge>,
}

impl From<ProbeSnapshot> for Seen {
    fn from(snapshot: ProbeSnapshot) -> Seen {
        Seen { heap: Some(snapshot.heap), resources: snapshot.resources, gauges: snapshot.gauges }
    }
}
