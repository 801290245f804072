//! Programs of many regimes, each near the threshold of some rule; what is said of them is in `golden/`.

mod changing;
mod churning;
mod claimed;
mod growing;
mod holding;
mod leaking;
mod waiting;

use heapsoak_record::Recording;

use crate::server::{Server, Soak, Step, soak};

/// A soak of one kind, `a.b`.
fn short(cycles: u32, per_cycle: u64) -> Soak {
    Soak { cycles, per_cycle, ..soak(&[("a.b", 1)]) }
}

/// Runs a soak whose server does something at its requests, and nothing else.
fn each(soak: &Soak, mut request: impl FnMut(&mut Server, &str, u64)) -> Recording {
    soak.run(|server, step| {
        if let Step::Request(kind, number) = step {
            request(server, kind, number);
        }
    })
}

/// Leaves a block behind.
fn leave(server: &mut Server, component: &'static str, bytes: u64) {
    std::mem::forget(server.alloc(component, bytes));
}
