//! `stats_alloc`: six totals for the process. It also tells how much a request allocates.

use std::process::ExitCode;

use heapsoak_bench::scoping::Unscoped;
use heapsoak_bench::subject::{self, SubjectError};
use heapsoak_bench::work::{Figures, Work};
use heapsoak_bench::{pair, server};
use jemallocator::Jemalloc;
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: StatsAlloc<Jemalloc> = StatsAlloc::new(Jemalloc);

fn main() -> ExitCode {
    subject::run_with(|work| match work {
        Work::Requests(work) if !work.kinds && work.cohort_every.is_none() => {
            let (server, data) = server::router(Unscoped, work.entries);
            let mut before = ALLOCATOR.stats();
            let figures = subject::requests(work, server, |sent| {
                if sent == work.warm_up {
                    before = ALLOCATOR.stats();
                }
            });
            let counted = ALLOCATOR.stats() - before;
            drop(data);
            let each = |count: usize| Some(count as f64 / f64::from(work.requests));
            Ok(Figures {
                allocations: each(counted.allocations),
                frees: each(counted.deallocations),
                ..figures
            })
        }
        Work::Pairs(work) => Ok(pair::run(work)),
        Work::Requests(_) | Work::Snapshots(_) => Err(SubjectError::Unable),
    })
}
