//! Call stacks made by hand: `session` keeps blocks in two lines, one of them inlined.

use heapsoak_record::{Blocks, CaptureRate, Captured, Frame, Mark, Module, Origin, Stack, Stacks, Symbol};

/// Stacks of the soak itself, looked up.
pub(crate) fn stacks() -> Stacks {
    let frames: Vec<Vec<Symbol>> = vec![
        vec![symbol("heapsoak_probe::allocator::alloc", "src/probe/allocator.rs", 40, Origin::Probe)],
        vec![
            inlined("alloc::raw_vec::finish_grow", "/rustc/1/library/alloc/src/raw_vec.rs", 500, Origin::Std),
            inlined("alloc::vec::Vec<T>::push", "/rustc/1/library/alloc/src/vec/mod.rs", 2000, Origin::Std),
            inlined("server::session::History::keep", "src/session.rs", 4, Origin::Own),
            symbol("server::session::finish", "src/session.rs", 11, Origin::Own),
        ],
        vec![symbol("serde_json::from_str", "/crates/serde_json/src/de.rs", 90, Origin::Dependency)],
        vec![symbol("server::session::read", "src/session.rs", 20, Origin::Own)],
        vec![symbol("server::handle", "src/main.rs", 7, Origin::Own)],
        vec![symbol("std::rt::lang_start", "/rustc/1/library/std/src/rt.rs", 9, Origin::Std)],
    ];
    let kept = |frames: &[u32], kind: &str, bytes: u64| Stack {
        path: vec!["session".to_owned()],
        kind: Some(kind.to_owned()),
        frames: frames.to_vec(),
        allocated: Blocks { bytes: 2 * bytes, blocks: bytes / 50 },
        live: Blocks { bytes, blocks: bytes / 100 },
        samples: 10,
        live_samples: 5,
        marks: [0, bytes / 3, bytes].map(|bytes| Blocks { bytes, blocks: bytes / 100 }).to_vec(),
        ..Stack::default()
    };
    // It holds more than all others, and no more than at the start.
    let mut steady = kept(&[0, 2, 4, 5], "session.expired-comment-fails", 9_000_000);
    steady.marks = vec![steady.live; 3];
    Stacks {
        captured: vec![Captured { component: None, rate: CaptureRate::OneIn { bytes: 65_536 } }],
        marks: [0, 4_000, 12_000].map(|requests| Mark { cycle: 0, requests }).to_vec(),
        modules: vec![Module { path: "/opt/server".to_owned(), ..Module::default() }],
        frames: (0..frames.len() as u64).map(|address| Frame { module: Some(0), address }).collect(),
        symbols: frames,
        stacks: vec![
            steady,
            kept(&[0, 1, 4, 5], "session.expired-comment-fails", 900_000),
            kept(&[0, 2, 3, 4, 5], "session.expired-comment-fails", 100_000),
            kept(&[0, 2, 3, 4, 5], "session.success", 5_000_000),
        ],
        ..Stacks::default()
    }
}

fn symbol(function: &str, file: &str, line: u32, origin: Origin) -> Symbol {
    Symbol {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        line: Some(line),
        inlined: false,
        origin,
    }
}

fn inlined(function: &str, file: &str, line: u32, origin: Origin) -> Symbol {
    Symbol { inlined: true, ..symbol(function, file, line, origin) }
}
