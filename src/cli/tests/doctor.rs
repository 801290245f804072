//! `doctor`: what stands in the way is named, with what to do about it.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;
use workbench::Workbench;

const PROGRAM: &str = "fn main() { println!(\"{:?}\", std::env::args().collect::<Vec<_>>()); }\n";

/// Builds a program with the compiler's options.
fn build(bench: &Workbench, name: &str, options: &[&str]) -> String {
    let source = bench.file("main.rs", PROGRAM);
    let program = bench.path(name);
    let built = Command::new("rustc")
        .args(options)
        .arg("-o")
        .args([&program, &source])
        .current_dir(bench.path("."))
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success());
    program.to_str().unwrap().to_owned()
}

#[test]
fn the_tool_itself_is_a_sound_server() {
    let bench = Workbench::new();
    let own = env!("CARGO_BIN_EXE_heapsoak");
    let sound = bench.heapsoak(&["doctor", own]).assert().code(0).stderr("");
    sound.stdout(
        contains("ok   the program carries the probe")
            .and(contains("keep a frame pointer: stacks can be walked")),
    );
    let json = bench.heapsoak(&["doctor", own, "--json"]).output().unwrap();
    let advice: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(advice.as_array().unwrap().iter().all(|one| one["state"] == "good"), "{advice:#}");
}

#[test]
fn a_build_without_debug_information_is_told_how_to_get_it() {
    let bench = Workbench::new();
    let plain = build(&bench, "plain", &["-C", "debuginfo=0", "-C", "strip=debuginfo"]);
    let advice = bench.heapsoak(&["doctor", &plain]).assert().code(0);
    advice.stdout(
        contains("no debug information")
            .and(contains("debug = \"limited\""))
            .and(contains("does not carry the probe")),
    );
    let stripped = build(&bench, "stripped", &["-C", "strip=symbols"]);
    bench.heapsoak(&["doctor", &stripped]).assert().code(0).stdout(contains("stripped"));
    let lines = build(&bench, "full", &["-C", "debuginfo=2"]);
    bench.heapsoak(&["doctor", &lines]).assert().stdout(contains("ok   the program has debug information"));
}

/// Forty functions, each long enough to be judged, in Rust or in C.
fn forty_functions(line: impl Fn(u32) -> String) -> String {
    (0..40).map(line).collect()
}

#[test]
fn a_rust_program_is_told_by_its_own_functions_whether_it_keeps_frame_pointers() {
    let bench = Workbench::new();
    let functions = forty_functions(|number| {
        format!(
            "#[inline(never)]\npub fn work_{number}(list: &mut Vec<u64>) -> u64 {{\n    list.push({number});\n    \
             list.iter().map(|one| std::hint::black_box(one ^ {number})).sum()\n}}\n"
        )
    });
    let calls = forty_functions(|number| format!("    sum += work_{number}(&mut list);\n"));
    let source = format!(
        "{functions}fn main() {{\n    let (mut list, mut sum) = (Vec::new(), 0_u64);\n{calls}    println!(\"{{sum}}\");\n}}\n"
    );
    bench.file("main.rs", &source);
    let build = |name: &str, keeps: &str| {
        let frames = format!("force-frame-pointers={keeps}");
        let options = ["--edition=2024", "-O", "-C", &frames, "-C", "debuginfo=1", "-o", name, "main.rs"];
        let built =
            Command::new("rustc").args(options).current_dir(bench.path(".")).env_remove("RUSTFLAGS").status();
        assert!(built.unwrap().success());
        bench.heapsoak(&["doctor", name]).assert().code(0)
    };
    build("with", "yes").stdout(contains("% of the functions keep a frame pointer: stacks can be walked"));
    build("without", "no").stdout(
        contains("% of the functions keep a frame pointer: stacks end early")
            .and(contains("-C force-frame-pointers=yes")),
    );
}

#[test]
fn a_c_program_built_with_and_without_frame_pointers_is_told_apart() {
    let bench = Workbench::new();
    let functions = forty_functions(|number| {
        format!(
            "__attribute__((noinline)) long work_{number}(long n) {{\n    volatile long sum = {number};\n    \
             for (long i = 0; i < n; i++) sum += i * sum ^ n;\n    printf(\"%ld\", sum);\n    return sum;\n}}\n"
        )
    });
    let calls = forty_functions(|number| format!("    sum += work_{number}(argc);\n"));
    let source = format!(
        "#include <stdio.h>\n{functions}int main(int argc, char **argv) {{\n    long sum = 0;\n{calls}    return (int)sum;\n}}\n"
    );
    bench.file("main.c", &source);
    let build = |name: &str, frames: &str| {
        let options = ["-O2", "-g1", frames, "-o", name, "main.c"];
        let built = Command::new("cc").args(options).current_dir(bench.path(".")).status();
        assert!(built.expect("cc is there: apt-get install build-essential").success());
        bench.heapsoak(&["doctor", name]).assert().code(0)
    };
    build("with", "-fno-omit-frame-pointer").stdout(contains("keep a frame pointer: stacks can be walked"));
    build("without", "-fomit-frame-pointer")
        .stdout(contains("% of the functions keep a frame pointer: stacks end early"));
}

#[test]
fn a_foreign_heap_tool_in_the_environment_is_bad() {
    let bench = Workbench::new();
    let run = bench.heapsoak(&["doctor"]).env("LD_PRELOAD", "/none/libheaptrack_preload.so").assert();
    run.code(2).stdout(contains("BAD  heaptrack").and(contains("unset LD_PRELOAD")));
}

#[test]
fn a_run_is_examined_by_its_recording() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    bench.heapsoak(&["doctor", "run"]).assert().stdout(contains("the heap was counted"));
    bench.file("text.jsonl", "hello\n");
    bench.heapsoak(&["doctor", "text.jsonl"]).assert().code(2).stderr(contains("text.jsonl:1"));
    bench.heapsoak(&["doctor", "nothing"]).assert().code(2).stderr(contains("nothing"));
}
