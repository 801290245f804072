//! A server without the probe, seen from outside: what the kernel counts, what it says itself at a Prometheus endpoint,
//! and V8's own figures where Node's inspector listens.

mod inspector;
mod listener;
mod memory;
mod metrics;
mod tree;

use std::time::Duration;

use heapsoak_record::wire::Stillness;
use heapsoak_record::{Resource, Unit};

use crate::observer::{ObserveError, Seen};
use inspector::Inspector;
pub(crate) use listener::find_listener;
pub(crate) use memory::memory_limit;
use metrics::Metrics;

/// Pages a garbage collection gave back are gone from the kernel's figures a moment later.
const AFTER_COLLECTION: Duration = Duration::from_millis(50);

/// Eyes on a process and its descendants.
#[derive(Debug)]
pub(crate) struct Outside {
    pid: i32,
    metrics: Option<Metrics>,
    inspector: Option<Inspector>,
}

impl Outside {
    /// Looks at a process, and at the endpoints that are given.
    pub(crate) async fn new(
        pid: u32,
        metrics: Option<&str>,
        gauges: &[String],
        inspect: Option<&str>,
    ) -> Result<Outside, String> {
        let pid = i32::try_from(pid).map_err(|_| format!("{pid} is no process"))?;
        let metrics = match metrics {
            Some(url) => {
                let metrics = Metrics::new(url, gauges)?;
                metrics.read().await?;
                Some(metrics)
            }
            None => None,
        };
        let inspector = match inspect {
            Some(address) => Some(Inspector::connect(address).await?),
            None => None,
        };
        Ok(Outside { pid, metrics, inspector })
    }

    /// What can't be seen this way, in sentences.
    pub(crate) fn blind_spots(&self) -> Vec<String> {
        let mut sentences = vec![
            "which component or kind of request memory belongs to: only a server with the probe says so".to_owned(),
            "growth below the noise of the kernel's figures: without the probe memory is counted in pages, with what \
             the allocator keeps in reserve"
                .to_owned(),
            "whether memory of old requests is ever freed: without the probe there are no cohorts".to_owned(),
        ];
        if self.inspector.is_none() {
            sentences.push(
                "the heap of a garbage collector apart from the process's memory: no inspector was given"
                    .to_owned(),
            );
        }
        if self.metrics.is_none() {
            sentences.push("what the server counts itself: no metrics endpoint was given".to_owned());
        }
        sentences
    }

    /// Time on the processor of the process and its descendants: it stands still when they do nothing.
    pub(crate) fn stillness(&self) -> Result<Stillness, ObserveError> {
        let ticks = tree::processor_ticks(self.pid)
            .ok_or_else(|| ObserveError::Outside(format!("process {} is gone", self.pid)))?;
        Ok(Stillness { allocated_blocks: ticks, freed_blocks: 0, busy: Vec::new() })
    }

    /// Everything that can be seen now.
    pub(crate) async fn look(&mut self) -> Result<Seen, ObserveError> {
        let mut resources = Vec::new();
        if let Some(inspector) = &mut self.inspector {
            let figures = inspector.collect_and_read().await.map_err(ObserveError::Outside)?;
            resources.extend(figures.into_iter().map(|(name, value)| bytes(name, value)));
            tokio::time::sleep(AFTER_COLLECTION).await;
        }
        resources.extend(
            tree::resources(self.pid)
                .ok_or_else(|| ObserveError::Outside(format!("process {} can't be looked at", self.pid)))?,
        );
        if let Some(metrics) = &self.metrics {
            resources.extend(metrics.read().await.map_err(ObserveError::Outside)?);
        }
        Ok(Seen { heap: None, resources, gauges: Vec::new() })
    }
}

fn count(name: impl Into<String>, value: u64) -> Resource {
    Resource { name: name.into(), value, unit: Unit::Count }
}

fn bytes(name: impl Into<String>, value: u64) -> Resource {
    Resource { name: name.into(), value, unit: Unit::Bytes }
}
