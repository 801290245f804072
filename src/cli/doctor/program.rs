use std::fs;
use std::path::Path;

use object::{Architecture, Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

use super::Advice;
use crate::exit::Exit;
use crate::failure::Failure;

/// Functions shorter than this may well do without a frame.
const SHORT: u64 = 64;

/// Share of the longer functions, in percent, that set up a frame pointer in a build that keeps them.
const MOST: usize = 50;

/// Functions it takes to say anything of a build.
const FEW: usize = 20;

/// What a server's program lets a run find out.
pub(super) fn examine(path: &Path) -> Result<Vec<Advice>, Failure> {
    let wrong = |why: String| {
        let remedy = "give the server's program, a recording, or the folder of a run";
        Failure::new(Exit::Usage, format!("can't examine {}: {why}: {remedy}", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let program = object::File::parse(bytes.as_slice()).map_err(|error| wrong(error.to_string()))?;
    Ok(vec![probe(&bytes), debug_info(&program), frame_pointers(&program)])
}

fn probe(bytes: &[u8]) -> Advice {
    // The probe asks for this variable by its name, however the program is stripped.
    let name = heapsoak_record::wire::SOCKET_VARIABLE.as_bytes();
    if bytes.windows(name.len()).any(|part| part == name) {
        return Advice::good("the program carries the probe");
    }
    Advice::worse(
        "the program does not carry the probe: only its resources can be judged",
        "link heapsoak-probe and make it the global allocator (four lines, see the README)",
    )
}

fn debug_info(program: &object::File<'_>) -> Advice {
    let has =
        |name: &str| program.sections().any(|section| section.name().is_ok_and(|own| own.ends_with(name)));
    match (has("debug_line"), has("debug_info"), program.symbols().next().is_some()) {
        (true, true, _) => {
            Advice::good("the program has debug information: lines and functions can be named")
        }
        (true, false, _) => Advice::worse(
            "the program has line tables alone: functions lose their module paths",
            "set `debug = \"limited\"` in the profile it is built with",
        ),
        (false, _, true) => Advice::worse(
            "the program has no debug information: functions can be named, lines can't",
            "set `debug = \"limited\"` in the profile it is built with",
        ),
        (false, _, false) => Advice::worse(
            "the program is stripped: neither functions nor lines can be named",
            "set `debug = \"limited\"` and `strip = \"none\"` in the profile it is built with",
        ),
    }
}

/// A function of a build that keeps frame pointers begins by setting one up.
fn frame_pointers(program: &object::File<'_>) -> Advice {
    let remedy = "build it with RUSTFLAGS=\"-C force-frame-pointers=yes\"";
    let functions = || {
        let text =
            |symbol: &object::Symbol<'_, '_>| symbol.kind() == SymbolKind::Text && symbol.size() >= SHORT;
        program.symbols().filter(text)
    };
    // The standard library comes built, with frame pointers or without, whatever the program was built with; so does C.
    let own: Vec<bool> = functions()
        .filter(|symbol| symbol.name().is_ok_and(is_of_a_crate))
        .filter_map(|symbol| keeps_a_frame(program, &symbol))
        .collect();
    let kept: Vec<bool> = match own.len() {
        FEW.. => own,
        _ => functions().filter_map(|symbol| keeps_a_frame(program, &symbol)).collect(),
    };
    let (long, framed) = (kept.len(), kept.iter().filter(|kept| **kept).count());
    if long < FEW {
        return Advice::worse(
            "the program has too few symbols to tell whether it keeps frame pointers",
            remedy,
        );
    }
    let percent = framed * 100 / long;
    if percent >= MOST {
        return Advice::good(format!(
            "{percent} % of the functions keep a frame pointer: stacks can be walked"
        ));
    }
    Advice::worse(format!("only {percent} % of the functions keep a frame pointer: stacks end early"), remedy)
}

/// Whether a function keeps a frame; none when its code is not there.
fn keeps_a_frame(program: &object::File<'_>, symbol: &object::Symbol<'_, '_>) -> Option<bool> {
    let section = program.section_by_index(symbol.section_index()?).ok()?;
    let start = section.data_range(symbol.address(), 48).ok().flatten()?;
    Some(sets_up_a_frame(program.architecture(), start))
}

/// Whether a symbol is a Rust function of anything but the standard library and what that is built with.
fn is_of_a_crate(symbol: &str) -> bool {
    let function = format!("{:#}", rustc_demangle::demangle(symbol));
    let bare = function.trim_start_matches(['<', '&', '(', '[']);
    let library =
        ["std::", "core::", "alloc::", "__rustc", "gimli::", "addr2line::", "rustc_demangle::", "object::"];
    function.contains("::") && !library.iter().any(|name| bare.starts_with(name))
}

/// Whether the first instructions of a function set up a frame pointer.
fn sets_up_a_frame(architecture: Architecture, code: &[u8]) -> bool {
    let holds = |instructions: &[u8]| code.windows(instructions.len()).any(|part| part == instructions);
    match architecture {
        // push rbp; mov rbp, rsp
        Architecture::X86_64 => holds(&[0x55, 0x48, 0x89, 0xE5]),
        // stp x29, x30, [sp, …]; then x29 is set from sp: mov x29, sp or add x29, sp, #…
        Architecture::Aarch64 => code.chunks_exact(4).any(|word| word[0] == 0xFD && word[3] == 0x91),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn this_very_program_has_debug_information_frame_pointers_and_the_probe() {
        let advice = examine(&std::env::current_exe().unwrap()).unwrap();
        assert!(advice.iter().all(|advice| advice.state == State::Good), "{advice:#?}");
    }

    #[test]
    fn what_is_no_program_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text");
        fs::write(&file, "hello").unwrap();
        assert_eq!(examine(&file).unwrap_err().exit(), Exit::Usage);
        assert_eq!(examine(&folder.path().join("none")).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn a_frame_is_seen_in_the_first_instructions() {
        assert!(sets_up_a_frame(Architecture::X86_64, &[0xF3, 0x0F, 0x1E, 0xFA, 0x55, 0x48, 0x89, 0xE5]));
        assert!(!sets_up_a_frame(Architecture::X86_64, &[0x55, 0x41, 0x57, 0x41, 0x56, 0x53]));
        assert!(sets_up_a_frame(Architecture::Aarch64, &[0xFD, 0x7B, 0xBF, 0xA9, 0xFD, 0x03, 0x00, 0x91]));
    }
}
