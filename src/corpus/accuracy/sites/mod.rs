//! Whether reports name the line that allocates what leaks: of the corpus and of the built-in server's defects.

mod defects;
mod json;
mod row;
mod table;
pub(crate) mod trial;

use heapsoak_corpus::marked_lines;

use crate::error::AccuracyError;
use crate::order::Order;
use crate::sites::defects::Server;
use crate::sites::row::{Named, Row};
use crate::sites::trial::SitesFound;
use crate::{Flags, cases, pool};

/// Share of the reports whose first site has to be right; one of the first three has to be in all of them.
const BAR: f64 = 0.95;

/// Runs every leaking case and reads the recordings of the server, and writes down what was named; and whether that is as
/// good as it has to be.
pub(crate) fn report(flags: &Flags) -> Result<(String, bool), AccuracyError> {
    let chosen = cases::chosen(flags.case.as_deref())?;
    let seeds = flags.first_seed..flags.first_seed + flags.seeds.max(1);
    let marked = |order: &Order| order.faulty && !marked_lines(&order.case).is_empty();
    let orders: Vec<Order> = cases::orders(&chosen, &seeds).into_iter().filter(marked).collect();
    let found: Vec<SitesFound> = pool::run(&orders, "--site-trial", flags.jobs)?;
    let mut rows: Vec<Row> = Vec::new();
    for (order, found) in orders.iter().zip(&found) {
        if rows.last().is_none_or(|row| row.name != order.case) {
            let marks =
                marked_lines(&order.case).iter().map(|mark| format!("{}:{}", mark.file, mark.line)).collect();
            rows.push(Row::new(&order.case, marks));
        }
        let row = rows.last_mut().expect("one was pushed if there was none");
        row.add(order.amount().name(), found.found.then(|| found.sites.clone()));
    }
    let servers = match flags.runs.as_slice() {
        [] => Vec::new(),
        runs => Server::read(runs)?.judge()?,
    };
    let figures = Figures { rows, servers };
    let within = |first| Named::within(figures.named(), first).rate();
    let is_good = within(1) >= BAR && within(3) >= 1.0;
    Ok((if flags.json { json::json(&figures) } else { table::table(&figures) }, is_good))
}

/// What was named, by case and by defect.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) servers: Vec<defects::Judged>,
}

impl Figures {
    /// Every report with a finding, of a case or of a defect.
    fn named(&self) -> impl Iterator<Item = &Named> {
        let cases = self.rows.iter().flat_map(|row| &row.named);
        cases.chain(self.servers.iter().filter_map(|judged| judged.named.as_ref()))
    }
}
