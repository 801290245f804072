//! This test's own program is looked up as a recording's would be.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use heapsoak_record::{Frame, Module, Origin, Stack, Stacks};
use heapsoak_symbols::{Problem, Symbols, resolve_stacks};

#[inline(never)]
fn outer(number: u64) -> u64 {
    inner(number) + 1
}

#[inline(always)]
fn inner(number: u64) -> u64 {
    black_box(number) * 3
}

/// This program, as the probe would describe it.
fn program() -> Module {
    let path = std::env::current_exe().expect("the test can go on");
    let maps = fs::read_to_string("/proc/self/maps").expect("the test can go on");
    let first =
        maps.lines().find(|line| line.ends_with(&path.display().to_string())).expect("the test can go on");
    let bias = u64::from_str_radix(first.split('-').next().expect("the test can go on"), 16)
        .expect("the test can go on");
    let file_bytes = Some(fs::metadata(&path).expect("the test can go on").len());
    Module { path: path.display().to_string(), file_bytes, bias, ..Module::default() }
}

fn address(module: &Module) -> u64 {
    assert_eq!(outer(black_box(2)), 7);
    outer as fn(u64) -> u64 as usize as u64 - module.bias
}

#[test]
fn a_function_is_found_with_its_file_and_line_and_what_was_inlined_into_it() {
    let module = program();
    let start = address(&module);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut symbols = Symbols::new().relative_to(root.clone());
    let [first] = &symbols.resolve(&module, start)[..] else { panic!("one function") };
    assert_eq!(first.function, "program::outer");
    assert!(first.file.as_deref().unwrap().ends_with("tests/program.rs"), "{first:?}");
    assert_eq!((first.line, first.inlined, first.origin), (Some(11), false, Origin::Own));

    let within = (start..start + 64).map(|address| symbols.resolve(&module, address));
    let inlined = within.into_iter().find(|found| found.len() > 1).expect("the inner function is inlined");
    let names: Vec<_> = inlined.iter().map(|symbol| (symbol.function.as_str(), symbol.inlined)).collect();
    assert!(names.ends_with(&[("program::inner", true), ("program::outer", false)]), "{names:?}");
    assert!(symbols.problems().is_empty(), "{:?}", symbols.problems());
}

#[test]
fn a_file_that_is_gone_or_changed_is_said_and_not_used() {
    let module = program();
    let start = address(&module);
    let gone = Module { path: "/nowhere/server".to_owned(), ..module.clone() };
    let resized = Module { file_bytes: Some(1), ..module.clone() };
    let rebuilt = Module { build_id: Some("00ff".to_owned()), file_bytes: None, ..module };
    for changed in [&gone, &resized] {
        let mut symbols = Symbols::new();
        assert_eq!(symbols.resolve(changed, start)[0].function, format!("{start:#x}"));
        let _ = symbols.resolve(changed, start);
        let [problem] = symbols.problems() else { panic!("{:?}", symbols.problems()) };
        let is_gone = matches!(problem, Problem::Unreadable { .. });
        assert_eq!(is_gone, changed.path == gone.path);
        assert!(problem.to_string().contains(&changed.path), "{problem}");
    }
    // Told by its build id, where it has one.
    let mut symbols = Symbols::new();
    let found = symbols.resolve(&rebuilt, start);
    assert_eq!(symbols.problems().is_empty(), found[0].function == "program::outer");
}

#[test]
fn what_is_no_program_is_a_problem_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    let module = Module { path: path.display().to_string(), ..Module::default() };
    let mut symbols = Symbols::new();
    assert_eq!(symbols.resolve(&module, 16)[0].function, "0x10");
    assert!(matches!(symbols.problems(), [Problem::Unreadable { .. }]));
    // The kernel's page has no file, and is none.
    let page = Module { path: "[vdso]".to_owned(), ..Module::default() };
    assert_eq!(symbols.resolve(&page, 16)[0].function, "0x10");
    assert_eq!(symbols.problems().len(), 1);
}

#[test]
fn stacks_take_their_functions_along() {
    let module = program();
    let address = address(&module);
    let frames = vec![Frame { module: Some(0), address }, Frame { module: None, address: 0x99 }];
    let stack = |frames: &[u32], samples| Stack { frames: frames.to_vec(), samples, ..Stack::default() };
    let mut stacks = Stacks {
        modules: vec![module],
        frames,
        stacks: vec![stack(&[0, 1], 10), stack(&[1], 1)],
        ..Stacks::default()
    };
    assert!(resolve_stacks(&mut Symbols::new(), &mut stacks).is_empty());
    assert_eq!(stacks.symbols_of(0)[0].function, "program::outer");
    assert_eq!(stacks.symbols_of(1)[0].function, "0x99");

    // Most stacks end at once: that is the build's fault, and said.
    stacks.stacks[1].samples = 100;
    let problems = resolve_stacks(&mut Symbols::new(), &mut stacks);
    assert_eq!(problems, [Problem::NoFramePointers { percent: 90 }]);
    assert!(stacks.problems[0].contains("force-frame-pointers"), "{:?}", stacks.problems);
}
