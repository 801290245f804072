//! From the command line to the table.

use crate::error::AccuracyError;
use crate::measures::{Tried, figures};
use crate::order::Order;
use crate::trial::Found;
use crate::{Flags, cases, json, limit, mixed, pool, table};

/// Seeds of a quick run.
const QUICK: u64 = 2;

/// Runs everything and writes it down.
pub(crate) fn report(flags: &Flags) -> Result<String, AccuracyError> {
    let chosen = cases::chosen(flags.case.as_deref())?;
    let count = if flags.quick { QUICK } else { flags.seeds.max(1) };
    let seeds = flags.first_seed..flags.first_seed + count;
    let orders = cases::orders(&chosen, &seeds);
    let found = run(&orders, flags)?;
    let stepwise = cases::stepwise(&chosen, &seeds);
    let stepwise_found = run(&stepwise, flags)?;
    let planted = limit::planted(&chosen, &orders, &found);
    let planted_found = run(&planted, flags)?;
    let paired = |name: &str| chosen.iter().any(|case| case.name == name && case.leaks.is_some());
    let mut figures = figures(
        &together(&orders, &found),
        &together(&stepwise, &stepwise_found),
        &together(&planted, &planted_found),
        &paired,
    );
    if let Some(recording) = &flags.mixed {
        figures.mixed = mixed::smallest(recording)?;
    }
    Ok(if flags.json { json::json(&figures) } else { table::table(&figures) })
}

fn run(orders: &[Order], flags: &Flags) -> Result<Vec<Found>, AccuracyError> {
    let found: Vec<Found> = pool::run(orders, "--trial", flags.jobs)?;
    if flags.trials {
        for (order, found) in orders.iter().zip(&found) {
            let line = serde_json::json!({ "order": order, "found": found });
            eprintln!("{line}");
        }
    }
    Ok(found)
}

fn together<'a>(orders: &'a [Order], found: &'a [Found]) -> Vec<Tried<'a>> {
    orders.iter().zip(found).collect()
}
