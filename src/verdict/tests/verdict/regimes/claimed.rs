//! Claims about a server, true and not.

use super::leave;
use crate::golden::{Recordings, add, assert_judged_as_before};
use crate::server::{Block, Server, Soak, Step, soak};
use heapsoak_record::Claim;

fn claim(component: &str, bytes: u64, unbounded: bool) -> Claim {
    Claim {
        component: component.to_owned(),
        says: "grows".to_owned(),
        bytes_per_1000_requests: bytes,
        unbounded,
    }
}

/// Components of every answer: `leak` keeps 64 bytes on one kind of two, `all` on every kind, `fds` descriptors too,
/// `full` fills up, `still` holds nothing, `held` waits for time, `late` still rises at the end, `shared` leaks on other
/// components' requests, and `costly` churns.
fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for component in
        ["leak", "all", "fds", "full", "still", "held", "late", "shared", "costly", "back", "absent"]
    {
        claims.extend([0, 60_000].map(|bytes| claim(component, bytes, false)));
        claims.extend([127_999, 31_999].map(|bytes| claim(component, bytes, true)));
    }
    claims.extend([14_999, 15_000, 59_999, 60_000, 60_001].map(|bytes| claim("full", bytes, false)));
    claims.extend([128_000, 128_001, 32_000, 32_001].map(|bytes| claim("leak", bytes, true)));
    claims
}

fn request(server: &mut Server, kind: &str, number: u64, full: &mut Vec<Block>, held: &mut Vec<Block>) {
    match kind {
        "leak.a" | "all.a" | "all.b" => {
            leave(server, if kind == "leak.a" { "leak" } else { "all" }, 64);
            leave(server, "shared", 16);
        }
        "leak.b" => server.churn("leak", 64),
        "fds.a" => {
            leave(server, "fds", 64);
            *server.resources.entry("fds.pipe").or_insert(1) += 1;
        }
        "full.a" if full.len() < 100 => full.push(server.alloc("full", 300)),
        "full.a" => {
            let old = std::mem::replace(&mut full[(number % 100) as usize], server.alloc("full", 300));
            server.free(old);
        }
        "held.a" => held.push(server.alloc("held", 9000)),
        "late.a" if number > 2200 => leave(server, "late", 40_000),
        "late.a" => server.churn("late", 100),
        "costly.a" => server.churn("costly", 3 << 20),
        _ => {
            server.churn("still", 100);
            server.churn("all", 10);
        }
    }
}

#[test]
fn judgements_of_claims_read_as_before() {
    let kinds =
        ["leak.a", "leak.b", "all.a", "all.b", "fds.a", "full.a", "still.a", "held.a", "late.a", "costly.a"];
    let soak = Soak {
        cycles: 24,
        per_cycle: 100,
        claims: claims(),
        advance_every: Some(4),
        ..soak(&kinds.map(|kind| (kind, 1)))
    };
    let (mut full, mut held) = (Vec::new(), Vec::new());
    let mut recording = soak.run(|server, step| match step {
        Step::Request(kind, number) => request(server, kind, number, &mut full, &mut held),
        Step::Rest => leave(server, "back", 300),
        Step::Advanced => held.drain(..).for_each(|block| server.free(block)),
        Step::Start => {}
    });
    let mut all = Recordings::new();
    add(&mut all, "every answer", recording.clone());
    recording.snapshots.truncate(9);
    recording.header.claims = ["leak", "full"].map(|component| claim(component, 60_000, true)).to_vec();
    add(&mut all, "too short a run", recording);
    assert_judged_as_before("claims", &all);
}
