use serde_json::{Value, json};

use crate::sites::Figures;
use crate::sites::row::Named;

/// The figures as one object.
pub(crate) fn json(figures: &Figures) -> String {
    let rate = |first| Named::within(figures.named(), first).rate();
    let one = |named: &Named| json!({ "of": named.of, "right_at": named.right_at, "sites": named.sites });
    let cases: Vec<Value> = figures
        .rows
        .iter()
        .map(|row| {
            let runs: Vec<Value> = row.named.iter().map(one).collect();
            json!({ "case": row.name, "truth": row.truth, "not_found": row.missed, "runs": runs })
        })
        .collect();
    let defects: Vec<Value> = figures
        .servers
        .iter()
        .map(|judged| {
            let defect = &judged.defect;
            json!({ "defect": defect.name, "truth": defect.functions, "no_site": defect.none,
                    "found": judged.named.is_some(), "run": judged.named.as_ref().map(one) })
        })
        .collect();
    let object = json!({
        "site_top1_rate": rate(1),
        "site_top3_rate": rate(3),
        "reports": figures.named().count(),
        "cases": cases,
        "defects": defects,
    });
    format!("{object:#}\n")
}
