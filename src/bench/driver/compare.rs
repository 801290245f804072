//! The rounds: a contender and plain jemalloc one after the other, the order changing from round to round.

use std::io::{self, IsTerminal, Write};

use heapsoak_bench::work::{Figures, Work};

use super::amount::Amount;
use super::contender::{CONTENDERS, Contender, PLAIN};
use super::error::BenchError;
use super::subjects::Subjects;

/// Figures of one kind, a pair of neighbours each.
#[derive(Debug, Default)]
pub(crate) struct Series {
    own: Vec<f64>,
    ratio: Vec<f64>,
}

impl Series {
    fn push(&mut self, own: f64, plain: f64) {
        self.own.push(own);
        self.ratio.push(own / plain);
    }

    /// Median of the ratio to the neighbour.
    pub(crate) fn ratio(&self) -> f64 {
        quantile(&self.ratio, 0.5)
    }

    /// The lower and the upper quartile of the ratio.
    pub(crate) fn spread(&self) -> (f64, f64) {
        (quantile(&self.ratio, 0.25), quantile(&self.ratio, 0.75))
    }

    /// Median of the figure itself.
    pub(crate) fn own(&self) -> f64 {
        quantile(&self.own, 0.5)
    }
}

fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted.get(place.round() as usize).copied().unwrap_or(f64::NAN)
}

/// What came out for one contender.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contender: &'static Contender,
    pub(crate) request_ns: Series,
    pub(crate) resident_kib: Series,
    /// For one and for two threads.
    pub(crate) pair_ns: Option<[Series; 2]>,
    pub(crate) allocations: Option<(f64, f64)>,
}

/// Everything that came out.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) rounds: u32,
    pub(crate) peer_rounds: u32,
    /// In how many orders of functions the probe and plain jemalloc were linked; zero when in the linker's own alone.
    pub(crate) layouts: usize,
    pub(crate) plain: Row,
    pub(crate) rows: Vec<Row>,
    /// Contenders that could not be started.
    pub(crate) missing: Vec<&'static str>,
    pub(crate) snapshot: Option<Figures>,
}

impl Results {
    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Row {
    fn new(contender: &'static Contender) -> Row {
        Row {
            contender,
            request_ns: Series::default(),
            resident_kib: Series::default(),
            pair_ns: contender.pairs.then(Default::default),
            allocations: None,
        }
    }
}

/// Measures every contender that is wanted and can be started, round by round.
pub(crate) fn measure(
    subjects: &Subjects,
    amount: &Amount,
    wanted: impl Fn(&Contender) -> bool,
) -> Result<Results, BenchError> {
    let mut results = Results {
        rounds: amount.rounds,
        peer_rounds: amount.peer_rounds,
        layouts: subjects.layouts(),
        plain: Row::new(&PLAIN),
        rows: Vec::new(),
        missing: Vec::new(),
        snapshot: None,
    };
    for contender in CONTENDERS.iter().filter(|contender| wanted(contender)) {
        if subjects.has(contender) {
            results.rows.push(Row::new(contender));
        } else if contender.is_peer() {
            results.missing.push(contender.name);
        } else {
            return Err(BenchError::Missing(subjects.program(contender, 0)));
        }
    }
    let rounds = amount.rounds.max(amount.peer_rounds);
    for round in 0..rounds {
        for row in &mut results.rows {
            if round < amount.rounds_of(row.contender) {
                progress(round, rounds, row.contender.name);
                compare(subjects, amount, round, row, &mut results.plain)?;
            }
        }
    }
    progress(rounds, rounds, "done");
    Ok(results)
}

fn compare(
    subjects: &Subjects,
    amount: &Amount,
    round: u32,
    row: &mut Row,
    plain_row: &mut Row,
) -> Result<(), BenchError> {
    let contender = row.contender;
    let work = amount.requests_of(contender);
    let mut own_work = work.clone();
    (contender.adjust)(&mut own_work);
    let (own, plain) =
        neighbours(subjects, round, (contender, &Work::Requests(own_work)), &Work::Requests(work))?;
    row.request_ns.push(own.cpu_ns, plain.cpu_ns);
    row.resident_kib.push(own.resident_kib as f64, plain.resident_kib as f64);
    row.allocations = own.allocations.zip(own.frees).or(row.allocations);
    if contender.slowness == 1 {
        plain_row.request_ns.push(plain.cpu_ns, plain.cpu_ns);
        plain_row.resident_kib.push(plain.resident_kib as f64, plain.resident_kib as f64);
    }
    for (series, threads) in row.pair_ns.iter_mut().flatten().zip(1..) {
        let work = Work::Pairs(amount.pairs_of(contender, threads));
        let (own, plain) = neighbours(subjects, round, (contender, &work), &work)?;
        series.push(own.cpu_ns, plain.cpu_ns);
        if let Some(all) = &mut plain_row.pair_ns {
            all[threads as usize - 1].push(plain.cpu_ns, plain.cpu_ns);
        }
    }
    Ok(())
}

/// The contender's figures and plain jemalloc's, measured one after the other.
fn neighbours(
    subjects: &Subjects,
    round: u32,
    (contender, own_work): (&Contender, &Work),
    plain_work: &Work,
) -> Result<(Figures, Figures), BenchError> {
    if round.is_multiple_of(2) {
        let plain = subjects.run(&PLAIN, round, plain_work)?;
        Ok((subjects.run(contender, round, own_work)?, plain))
    } else {
        let own = subjects.run(contender, round, own_work)?;
        Ok((own, subjects.run(&PLAIN, round, plain_work)?))
    }
}

/// The probe's snapshots while threads run.
pub(crate) fn snapshots(subjects: &Subjects, amount: &Amount) -> Result<Figures, BenchError> {
    subjects.run(&CONTENDERS[0], 0, &Work::Snapshots(amount.snapshots.clone()))
}

fn progress(round: u32, rounds: u32, what: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // Progress that can't be shown is no reason to stop.
        let _ = write!(stderr, "\r\x1b[Kround {} of {rounds}: {what}", (round + 1).min(rounds));
        if what == "done" {
            let _ = writeln!(stderr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_over_neighbours_not_over_all() {
        let mut series = Series::default();
        for (own, plain) in [(11.0, 10.0), (22.0, 20.0), (55.0, 50.0)] {
            series.push(own, plain);
        }
        assert!((series.ratio() - 1.1).abs() < 1e-9);
        assert!((series.own() - 22.0).abs() < 1e-9);
    }
}
