//! The figures as a table in Markdown.

use std::fmt::Write;

use super::compare::{Results, Row};

/// The table, and what it leaves out.
pub(crate) fn tables(results: &Results) -> String {
    let mut text = String::from(
        "| allocator or tool | per component? | request CPU × plain | resident × plain | alloc+free of 64 B, 1 thread | 2 threads |\n\
         |---|---|---|---|---|---|\n",
    );
    let plain = &results.plain;
    let pairs = |threads: usize| plain.pair_ns.as_ref().map_or(f64::NAN, |pairs| pairs[threads].own());
    if !results.is_empty() {
        text += &format!(
            "| {} | no | 1 ({:.2} µs) | 1 ({:.1} MiB) | {:.1} ns | {:.1} ns |\n",
            plain.contender.name,
            plain.request_ns.own() / 1e3,
            plain.resident_kib.own() / 1_024.0,
            pairs(0),
            pairs(1)
        );
    }
    for row in &results.rows {
        text += &line(row);
    }
    text += "\n";
    if let Some(snapshot) = &results.snapshot {
        text += &format!(
            "Snapshot while threads run: {:.0} µs, of which {:.0} µs on the CPU.\n",
            snapshot.wall_ns / 1e3,
            snapshot.cpu_ns / 1e3
        );
    }
    if let Some((allocations, frees)) = results.rows.iter().find_map(|row| row.allocations) {
        text += &format!("A request allocates {allocations:.1} times and frees {frees:.1} times.\n");
    }
    for name in &results.missing {
        text += &format!("Not measured, because it is not there: {name}.\n");
    }
    if results.layouts > 0 {
        text += &format!(
            "The probe and plain jemalloc were linked in {} orders of their functions, which took turns.\n",
            results.layouts
        );
    }
    text += &format!(
        "Medians of {} rounds ({} for the other tools), the quartiles in brackets, on {}.\n",
        results.rounds,
        results.peer_rounds,
        machine()
    );
    text
}

fn line(row: &Row) -> String {
    let (low, high) = row.request_ns.spread();
    let mut text = format!(
        "| {} | {} | {:.2} ({low:.2}–{high:.2}) | {:.2} |",
        row.contender.name,
        row.contender.per_component,
        row.request_ns.ratio(),
        row.resident_kib.ratio()
    );
    match &row.pair_ns {
        Some(pairs) => {
            for series in pairs {
                // Writing to a string can't fail.
                let _ = write!(text, " {:.1} ns (× {:.2}) |", series.own(), series.ratio());
            }
        }
        None => text += " | |",
    }
    text + "\n"
}

/// The processor, as the system names it, and how many there are.
fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cpus} cores of {}", name.map_or("an unnamed processor", |(_, name)| name))
}
