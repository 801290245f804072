use std::fmt::Write as _;

use heapsoak_record::Resource;

use super::{bytes, count};
use crate::load::{Connection, Prepared};
use crate::target::{Address, Dial};

/// Gauges everybody's client libraries export under the same names.
const KNOWN: [&str; 12] = [
    "process_resident_memory_bytes",
    "process_heap_bytes",
    "process_open_fds",
    "process_threads",
    "go_goroutines",
    "go_memstats_heap_inuse_bytes",
    "go_memstats_heap_objects",
    "nodejs_heap_size_used_bytes",
    "nodejs_external_memory_bytes",
    "nodejs_active_handles_total",
    "jvm_memory_used_bytes",
    "jvm_threads_live_threads",
];

/// A Prometheus endpoint: a few of its gauges, each the sum over its labels.
#[derive(Debug)]
pub(super) struct Metrics {
    address: Address,
    path: String,
    gauges: Vec<String>,
}

impl Metrics {
    /// An endpoint, and the gauges to look at besides the known ones.
    pub(super) fn new(url: &str, gauges: &[String]) -> Result<Metrics, String> {
        let start = url.find("://").map_or(0, |scheme| scheme + 3);
        let split = url[start..].find('/').map_or(url.len(), |slash| start + slash);
        let (server, path) = url.split_at(split);
        let address = server.parse::<Address>().map_err(|error| error.to_string())?;
        let path = if path.is_empty() { "/metrics" } else { path };
        Ok(Metrics { address, path: path.to_owned(), gauges: gauges.to_vec() })
    }

    /// Reads the endpoint now.
    pub(super) async fn read(&self) -> Result<Vec<Resource>, String> {
        let mut connection = Connection::new(Dial::plain(self.address.clone()));
        let answer = connection
            .send(&Prepared::get(&self.path), None)
            .await
            .map_err(|error| format!("the metrics endpoint {}{}: {error}", self.address, self.path))?;
        if answer.status != 200 {
            return Err(format!(
                "the metrics endpoint {}{} answers {}",
                self.address, self.path, answer.status
            ));
        }
        let found = parse(&String::from_utf8_lossy(&answer.body), &self.gauges);
        if let Some(missing) = self.gauges.iter().find(|name| !found.iter().any(|one| is_named(one, name))) {
            return Err(format!(
                "the metrics endpoint {}{} has no gauge '{missing}'",
                self.address, self.path
            ));
        }
        Ok(found)
    }
}

fn is_named(resource: &Resource, name: &str) -> bool {
    resource.name.strip_prefix("metric.") == Some(name)
}

/// The known and the wanted series of a text in the exposition format, each summed over its labels.
fn parse(text: &str, wanted: &[String]) -> Vec<Resource> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        let name = &line[..end];
        if !KNOWN.contains(&name) && !wanted.iter().any(|known| known == name) {
            continue;
        }
        let behind = match line.rfind('}') {
            Some(brace) => &line[brace + 1..],
            None => &line[end..],
        };
        let Some(value) = behind.split_whitespace().next().and_then(|value| value.parse::<f64>().ok()) else {
            continue;
        };
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += value,
            None => sums.push((name, value)),
        }
    }
    let finite = sums.into_iter().filter(|(_, value)| value.is_finite() && *value >= 0.0);
    finite
        .map(|(name, value)| {
            let mut full = String::from("metric.");
            write!(full, "{name}").expect("a string can be written to");
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "finite and not negative"
            )]
            let value = value as u64;
            if name.ends_with("_bytes") { bytes(full, value) } else { count(full, value) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use heapsoak_record::Unit;

    use super::*;

    const TEXT: &str = "# HELP process_open_fds Number.\n# TYPE process_open_fds gauge\nprocess_open_fds 12\n\
        process_resident_memory_bytes 1.5e+06 1700000000\nhttp_requests_total{code=\"200\"} 99\n\
        jobs_waiting{queue=\"a b\"} 3\njobs_waiting{queue=\"}\"} 4\nnodejs_heap_size_used_bytes NaN\n";

    #[test]
    fn known_and_wanted_gauges_are_read_and_others_left_out() {
        let found = parse(TEXT, &["jobs_waiting".to_owned()]);
        let short: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.value, one.unit)).collect();
        let expected = [
            ("metric.process_open_fds", 12, Unit::Count),
            ("metric.process_resident_memory_bytes", 1_500_000, Unit::Bytes),
            ("metric.jobs_waiting", 7, Unit::Count),
        ];
        assert_eq!(short, expected);
    }

    #[test]
    fn the_path_is_metrics_unless_the_url_has_one() {
        let path = |url: &str| Metrics::new(url, &[]).unwrap().path;
        assert_eq!(path("http://127.0.0.1:9"), "/metrics");
        assert_eq!(path("http://127.0.0.1:9/internal/m?x=1"), "/internal/m?x=1");
        assert!(Metrics::new("nowhere", &[]).is_err());
    }
}
