use heapsoak_record::Recording;
use heapsoak_verdict::Finding;
use toml::{Table, Value};

use super::Candidate;

/// The scenario of a recording with some of its kinds only, as the text of a file. It expects the leak it shows.
pub(super) fn reduce(
    recording: &Recording,
    candidate: &Candidate,
    finding: &Finding,
) -> Result<String, String> {
    let header = &recording.header;
    let mut scenario: Table = header.scenario_source.parse().map_err(|error| format!("{error}"))?;
    let kept = |name: &str| candidate.kinds.iter().any(|kind| kind == name);
    let weights =
        candidate.kinds.iter().cloned().zip(candidate.weights.iter().map(|weight| Value::Float(*weight)));
    scenario.insert("weights".to_owned(), Value::Table(weights.collect()));
    if let Some(Value::Table(kinds)) = scenario.get_mut("kind") {
        // What a kept kind replays has to be known, whether it is sent by itself or not.
        let replayed: Vec<String> = kinds
            .iter()
            .filter(|(name, _)| kept(name))
            .filter_map(|(_, kind)| Some(kind.get("replay-of")?.as_str()?.to_owned()))
            .collect();
        kinds.retain(|name, _| kept(name) || replayed.iter().any(|other| other == name));
    }
    let stages: Vec<String> = scenario
        .get("kind")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(_, kind)| Some(kind.get("stage")?.as_str()?.to_owned()))
        .collect();
    if let Some(Value::Table(known)) = scenario.get_mut("stage") {
        known.retain(|name, _| stages.iter().any(|stage| stage == name));
    }
    for gone in ["stage", "kind"] {
        if scenario.get(gone).and_then(Value::as_table).is_some_and(Table::is_empty) {
            scenario.remove(gone);
        }
    }
    for gone in ["include", "claim", "claims", "expect"] {
        scenario.remove(gone);
    }
    let what =
        format!("the least that shows what {} keeps: shrunk from {}", finding.component, header.scenario);
    scenario.insert("description".to_owned(), Value::String(what));
    scenario.insert("seed".to_owned(), Value::Integer(header.seed.cast_signed()));
    if let Some(Value::Table(target)) = scenario.get_mut("target")
        && target.contains_key("as-found")
    {
        // What was switched on in the run, also by the command line.
        let defects = header.target.as_found.iter().cloned().map(Value::String);
        target.insert("as-found".to_owned(), Value::Array(defects.collect()));
    }
    if let Some(Value::Table(load)) = scenario.get_mut("load") {
        let cycles = u64::from(header.plan.cycles.max(1));
        let each = candidate.requests.div_ceil(cycles).max(1);
        load.insert("requests-per-cycle".to_owned(), Value::Integer(each.cast_signed()));
    }
    let mut leak = Table::new();
    leak.insert("verdict".to_owned(), Value::String("leak".to_owned()));
    let component = Table::from_iter([(finding.component.clone(), Value::Table(leak.clone()))]);
    leak.insert("component".to_owned(), Value::Table(component));
    scenario.insert("expect".to_owned(), Value::Table(leak));
    let text = toml::to_string(&scenario).map_err(|error| error.to_string())?;
    Ok(format!(
        "# Written by `heapsoak shrink`: {} keeps {:.0} bytes per 1,000 of these requests.\n{text}",
        finding.component, candidate.bytes_per_1000
    ))
}
