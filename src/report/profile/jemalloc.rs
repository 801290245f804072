//! jemalloc's own sampled profile as pprof.

use heapsoak_record::{Blocks, CaptureRate, Captured, Frame, Stack, Stacks};
use heapsoak_symbols::{Symbols, modules, resolve_stacks};

use super::Profile;
use super::pprof::{About, pack};
use crate::RenderError;

/// What stands before the list of mappings.
const MAPPINGS: &str = "\nMAPPED_LIBRARIES:\n";

/// Converts a heap profile that jemalloc wrote (its text format `heap_v2`) to pprof, with functions and lines from the files
/// that ran, which have to be there still. Counts are scaled up from the sample, as `jeprof` and Go's pprof do it.
///
/// # Errors
///
/// When the text is no such profile, or holds no sample.
pub fn convert_jemalloc(text: &str, all_frames: bool) -> Result<Vec<u8>, RenderError> {
    let stacks = read(text).map_err(|why| RenderError::Format { format: "pprof", why })?;
    let profile = Profile::of_pass(&stacks, all_frames);
    pack(
        &profile,
        &About { comments: vec!["converted from jemalloc's profile".to_owned()], ..About::default() },
    )
}

fn read(text: &str) -> Result<Stacks, String> {
    let (samples, maps) = text.split_once(MAPPINGS).ok_or("it ends without the list of mapped files")?;
    let mut lines = (1..).zip(samples.lines());
    let interval = lines.next().and_then(|(_, line)| line.strip_prefix("heap_v2/")?.parse::<u64>().ok());
    let interval =
        interval.filter(|bytes| *bytes > 0).ok_or("line 1: it is no profile of the version heap_v2")?;
    let modules = modules(maps);
    let mut stacks = Stacks {
        captured: vec![Captured { component: None, rate: CaptureRate::OneIn { bytes: interval } }],
        ..Stacks::default()
    };
    let mut addresses: Option<Vec<u64>> = None;
    for (number, line) in lines {
        let broken = || format!("line {number}: {line:?} is neither a stack nor a count");
        if let Some(stack) = line.strip_prefix("@ ") {
            let parsed =
                stack.split_whitespace().map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16));
            addresses = Some(parsed.collect::<Result<_, _>>().map_err(|_| broken())?);
        } else if let Some(counts) = line.trim().strip_prefix("t*: ") {
            // The one before the first stack is the sum.
            let Some(addresses) = addresses.take() else { continue };
            let (live, allocated) = counted(counts, interval).ok_or_else(broken)?;
            let frames = addresses.iter().map(|&address| frame(&mut stacks, &modules, address)).collect();
            let (samples, interval_bytes) = (live.blocks, Some(interval));
            stacks.stacks.push(Stack {
                frames,
                live,
                allocated,
                samples,
                interval_bytes,
                ..Stack::default()
            });
        }
    }
    if stacks.stacks.is_empty() {
        return Err("it holds no sample: nothing that is alive was large enough".to_owned());
    }
    stacks.modules = modules;
    resolve_stacks(&mut Symbols::new(), &mut stacks);
    Ok(stacks)
}

/// `2: 1048576 [0: 0]`: alive, and ever allocated, if that was counted.
fn counted(text: &str, interval: u64) -> Option<(Blocks, Blocks)> {
    let (live, allocated) = text.split_once('[')?;
    let pair = |text: &str| {
        let (blocks, bytes) = text.split_once(':')?;
        Some(Blocks { blocks: blocks.trim().parse().ok()?, bytes: bytes.trim().parse().ok()? })
    };
    let (live, allocated) = (pair(live)?, pair(allocated.trim_end().trim_end_matches(']'))?);
    Some((scaled(live, interval), scaled(allocated, interval)))
}

/// A block of *s* bytes is sampled with a chance of 1 − e^(−s ÷ interval).
fn scaled(sampled: Blocks, interval: u64) -> Blocks {
    if sampled.blocks == 0 {
        return sampled;
    }
    let mean = sampled.bytes as f64 / sampled.blocks as f64;
    let factor = 1.0 / -(-mean / interval as f64).exp_m1();
    let times = |count: u64| (count as f64 * factor).round() as u64;
    Blocks { bytes: times(sampled.bytes), blocks: times(sampled.blocks) }
}

/// The frame of a return address: of the call before it.
fn frame(stacks: &mut Stacks, modules: &[heapsoak_record::Module], address: u64) -> u32 {
    let call = address.saturating_sub(1);
    let module = modules.iter().position(|module| (module.start..module.end).contains(&call));
    let frame = match module {
        Some(index) => {
            Frame { module: u32::try_from(index).ok(), address: call.wrapping_sub(modules[index].bias) }
        }
        None => Frame { module: None, address: call },
    };
    let known = stacks.frames.iter().position(|other| *other == frame);
    let index = known.unwrap_or_else(|| {
        stacks.frames.push(frame);
        stacks.frames.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_scaled_up_by_the_chance_it_had() {
        let small = scaled(Blocks { bytes: 1024, blocks: 1 }, 524_288);
        // One of 1,024 bytes stands for about an interval.
        assert!(small.bytes.abs_diff(524_288 + 512) < 2 && small.blocks.abs_diff(512) < 2, "{small:?}");
        let large = scaled(Blocks { bytes: 16 << 20, blocks: 1 }, 524_288);
        assert_eq!(large, Blocks { bytes: 16 << 20, blocks: 1 });
    }

    #[test]
    fn what_is_no_profile_is_refused_with_the_line() {
        let refused = |text: &str| read(text).unwrap_err();
        assert!(refused("hello").contains("mapped files"));
        assert!(refused("heap_v1/1\nMAPPED_LIBRARIES:\n").contains("line 1"));
        assert!(refused("heap_v2/512\n@ 0x1\n  t*: many\nMAPPED_LIBRARIES:\n").contains("line 3"));
        assert!(refused("heap_v2/512\n  t*: 1: 8 [0: 0]\nMAPPED_LIBRARIES:\n").contains("no sample"));
    }
}
