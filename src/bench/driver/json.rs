//! The figures as one JSON object.

use serde_json::{Map, Value};

use super::compare::{Results, Row};

/// One object: the probe's figures by their names, the others' under `peers`. What was not measured has no key.
pub(crate) fn json(results: &Results) -> String {
    let mut figures = Map::new();
    let mut peers = Map::new();
    for row in &results.rows {
        match row.contender.key {
            Some(key) => {
                figures.insert(key.to_owned(), row.request_ns.ratio().into());
                if key == "exact_request_ratio" {
                    insert_memory(&mut figures, row);
                }
            }
            None => {
                let mut peer = Map::new();
                peer.insert("request_ratio".to_owned(), row.request_ns.ratio().into());
                insert_memory(&mut peer, row);
                peers.insert(row.contender.name.to_owned(), Value::Object(peer));
            }
        }
        if let Some((allocations, frees)) = row.allocations {
            figures.insert("allocations_per_request".to_owned(), allocations.into());
            figures.insert("frees_per_request".to_owned(), frees.into());
        }
    }
    if let Some(snapshot) = &results.snapshot {
        figures.insert("snapshot_us".to_owned(), (snapshot.wall_ns / 1e3).into());
        figures.insert("snapshot_cpu_us".to_owned(), (snapshot.cpu_ns / 1e3).into());
    }
    if !results.is_empty() {
        figures.insert("plain_request_us".to_owned(), (results.plain.request_ns.own() / 1e3).into());
    }
    figures.insert("rounds".to_owned(), results.rounds.into());
    figures.insert("layouts".to_owned(), results.layouts.into());
    if !peers.is_empty() {
        figures.insert("peers".to_owned(), Value::Object(peers));
    }
    format!("{}\n", Value::Object(figures))
}

fn insert_memory(object: &mut Map<String, Value>, row: &Row) {
    object.insert("rss_ratio".to_owned(), row.resident_kib.ratio().into());
    for (series, threads) in row.pair_ns.iter().flatten().zip(1..) {
        object.insert(format!("pair_ns_ratio_{threads}"), series.ratio().into());
    }
}
