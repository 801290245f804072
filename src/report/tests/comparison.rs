//! Two runs side by side, and whether a fix holds.

#[cfg(test)]
mod synthetic;

use heapsoak_record::Recording;
use heapsoak_report::{Change, Comparison, FixVerdict, Run};
use heapsoak_verdict::{ComponentVerdict, Growth, Judgement, RunVerdict};

type Judged = (Recording, Judgement);

fn growth(estimate: f64, half: f64) -> Growth {
    Growth { estimate, low: estimate - half, high: estimate + half }
}

/// The run with one leak of bytes in `session` and one of pipes.
fn leaking() -> Judged {
    synthetic::run("claims")
}

fn set(run: &mut Judged, component: &str, verdict: ComponentVerdict, growth: Growth) {
    let found =
        run.1.components.iter_mut().find(|one| one.name == component).expect("the component is there");
    (found.verdict, found.growth_bytes_per_1000_requests) = (verdict, growth);
    // On no kind in particular.
    found.kinds.clear();
}

fn close_the_pipes(run: &mut Judged) {
    let pipes = run.1.resources.iter_mut().find(|one| one.name == "fds.pipe").expect("the pipes are there");
    (pipes.verdict, pipes.growth_per_1000_requests) = (ComponentVerdict::Stable, growth(0.0, 0.05));
}

/// The same server with everything repaired.
fn repaired() -> Judged {
    let mut run = leaking();
    set(&mut run, "session", ComponentVerdict::Stable, growth(-20.0, 300.0));
    close_the_pipes(&mut run);
    run.1.verdict = RunVerdict::Clean;
    run
}

/// The run with its call stacks; what grew of them in `share` quarters.
fn with_stacks(mut run: Judged, quarters: u64) -> Judged {
    let mut stacks = synthetic::stacks::stacks();
    for blocks in stacks.stacks.iter_mut().skip(1).flat_map(|stack| &mut stack.marks) {
        blocks.bytes = blocks.bytes * quarters / 4;
    }
    run.0.stacks.push(stacks);
    run
}

fn compare<'a>(before: &'a Judged, after: &'a Judged) -> Comparison<'a> {
    Comparison::of(Run::new(&before.0, &before.1), Run::new(&after.0, &after.1))
}

fn verdict(before: &Judged, after: &Judged) -> FixVerdict {
    compare(before, after).fix(&[]).verdict
}

#[test]
fn the_comparison_reads_as_before() {
    let (before, mut after) = (leaking(), repaired());
    set(&mut after, "cache", ComponentVerdict::Leak, growth(40_000.0, 900.0));
    after.0.header.seed = 8;
    let (before, after) = (with_stacks(before, 4), with_stacks(after, 1));
    let comparison = compare(&before, &after);
    insta::assert_snapshot!("comparison_terminal", comparison.terminal(false));
    insta::assert_snapshot!("comparison_markdown", comparison.markdown());
    insta::assert_snapshot!("comparison_json", comparison.json().unwrap());
    let fix = comparison.fix(&[]);
    insta::assert_snapshot!("fix_terminal", comparison.fix_terminal(&fix, false));
    insta::assert_snapshot!("fix_markdown", comparison.fix_markdown(&fix));
    insta::assert_snapshot!("fix_json", comparison.fix_json(&fix).unwrap());
    for text in [comparison.terminal(false), comparison.fix_terminal(&fix, false)] {
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn a_fix_holds_when_all_of_a_real_growth_is_gone() {
    let (before, after) = (leaking(), repaired());
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::Fixed, "{fix:?}");
    assert!(fix.still_grows.is_empty());
    let names: Vec<&str> = fix.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["heap", "fds.pipe"]);
}

#[test]
fn eighty_nine_percent_are_not_enough_and_ninety_one_are() {
    let before = leaking();
    let mut after = repaired();
    set(&mut after, "session", ComponentVerdict::Leak, growth(89_200.0 * 0.11, 20.0));
    assert_eq!(verdict(&before, &after), FixVerdict::NotFixed);
    set(&mut after, "session", ComponentVerdict::Leak, growth(89_200.0 * 0.09, 20.0));
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::Fixed);
    assert_eq!(fix.still_grows[0].name, "session", "what is left is named all the same");
}

#[test]
fn a_leak_that_only_moved_is_no_fix_and_is_named() {
    let before = leaking();
    let mut after = repaired();
    set(&mut after, "cache", ComponentVerdict::Leak, growth(80_000.0, 900.0));
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::NotFixed);
    assert_eq!(fix.still_grows[0].name, "cache");
    assert!(
        fix.reasons.iter().any(|reason| reason.contains("cache") && reason.contains("hidden")),
        "{fix:?}"
    );
    // Asked about session alone, its fix holds, and cache is named all the same.
    let fix = compare(&before, &after).fix(&["session".to_owned()]);
    assert_eq!(fix.verdict, FixVerdict::Fixed);
    assert_eq!(fix.still_grows[0].name, "cache");
}

#[test]
fn a_resource_that_still_leaks_is_no_fix_even_when_all_bytes_are_gone() {
    let (before, mut after) = (leaking(), repaired());
    after.1.resources = before.1.resources.clone();
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::NotFixed);
    assert_eq!(fix.still_grows[0].name, "fds.pipe");
}

#[test]
fn a_growth_that_was_not_there_cannot_be_shown_to_be_gone() {
    let (sound, leaky) = (repaired(), leaking());
    assert_eq!(verdict(&sound, &sound), FixVerdict::Inconclusive);
    assert_eq!(verdict(&sound, &leaky), FixVerdict::Inconclusive);
    let fix = compare(&leaky, &sound).fix(&["cache".to_owned()]);
    assert_eq!(fix.verdict, FixVerdict::Inconclusive);
    let fix = compare(&leaky, &sound).fix(&["nonsense".to_owned()]);
    assert!(fix.reasons[0].contains("nonsense") && fix.reasons[0].contains("verifier"), "{fix:?}");
}

#[test]
fn a_later_run_too_noisy_to_tell_is_inconclusive() {
    let before = leaking();
    let mut after = repaired();
    set(&mut after, "session", ComponentVerdict::Inconclusive, growth(1_000.0, 20_000.0));
    assert_eq!(verdict(&before, &after), FixVerdict::Inconclusive);
    set(&mut after, "session", ComponentVerdict::Inconclusive, growth(1_000.0, f64::INFINITY));
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::Inconclusive);
    let json = compare(&before, &after).fix_json(&fix).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

#[test]
fn what_levelled_has_stopped_down_to_what_the_later_run_could_have_seen() {
    let before = leaking();
    let mut after = repaired();
    // On its way to its bound it rose much; what counts is that it levelled.
    set(&mut after, "session", ComponentVerdict::Bounded, growth(30_000.0, 20_000.0));
    assert_eq!(verdict(&before, &after), FixVerdict::Fixed);
    for component in &mut after.1.components {
        component.minimum_detectable_bytes_per_1000_requests = 30_000.0;
    }
    assert_eq!(verdict(&before, &after), FixVerdict::Inconclusive);
}

#[test]
fn a_later_run_that_does_not_send_the_trigger_proves_nothing() {
    let (before, mut after) = (leaking(), repaired());
    for snapshot in &mut after.0.snapshots {
        snapshot.kinds[3].sent /= 4;
    }
    let fix = compare(&before, &after).fix(&[]);
    assert_eq!(fix.verdict, FixVerdict::Inconclusive);
    assert!(fix.reasons[0].contains("session.expired-comment-fails"), "{fix:?}");
}

#[test]
fn an_invalid_run_is_no_proof_of_anything() {
    let (before, mut after) = (leaking(), repaired());
    after.1.verdict = RunVerdict::Invalid;
    assert_eq!(verdict(&before, &after), FixVerdict::Invalid);
    assert!(!compare(&before, &after).cautions().is_empty());
}

#[test]
fn what_leaks_now_stands_first_and_each_change_has_its_name() {
    let before = leaking();
    let mut after = leaking();
    set(&mut after, "session", ComponentVerdict::Leak, growth(120_000.0, 700.0));
    set(&mut after, "cache", ComponentVerdict::Leak, growth(5000.0, 100.0));
    let comparison = compare(&before, &after);
    let rows = comparison.components();
    assert_eq!((rows[0].name.as_str(), rows[0].change), ("cache", Change::New));
    assert_eq!((rows[1].name.as_str(), rows[1].change), ("session", Change::Worse));
    let other = repaired();
    let comparison = compare(&before, &other);
    let rows = comparison.components();
    assert_eq!((rows[0].name.as_str(), rows[0].change), ("session", Change::Gone));
    assert_eq!(compare(&before, &before).components()[0].change, Change::Same);
}

#[test]
fn a_leak_below_the_limit_of_the_other_run_is_called_neither_new_nor_gone() {
    let (before, mut after) = (leaking(), leaking());
    let limit = before.1.component("cache").unwrap().minimum_detectable_bytes_per_1000_requests;
    set(&mut after, "cache", ComponentVerdict::Leak, growth(0.9 * limit, 0.0));
    let change = |before: &Judged, after: &Judged| {
        let rows = compare(before, after).components();
        rows.iter().find(|row| row.name == "cache").unwrap().change
    };
    assert_eq!(change(&before, &after), Change::Unclear);
    assert_eq!(change(&after, &before), Change::Unclear);
    set(&mut after, "cache", ComponentVerdict::Leak, growth(1.1 * limit, 0.0));
    assert_eq!(change(&before, &after), Change::New);
    assert_eq!(change(&after, &before), Change::Gone);
}

#[test]
fn a_component_of_one_run_alone_is_shown_beside_nothing() {
    let before = leaking();
    let mut after = repaired();
    after.1.components.retain(|component| component.name != "cache");
    after.1.components[0].name = "brand-new".to_owned();
    let comparison = compare(&before, &after);
    let rows = comparison.components();
    let found = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
    assert!(found("cache").after.is_none() && found("brand-new").before.is_none());
}

#[test]
fn sites_of_what_leaks_stand_side_by_side_with_their_intervals() {
    let (before, after) = (with_stacks(leaking(), 4), with_stacks(repaired(), 1));
    let sites = compare(&before, &after).sites();
    let keep = sites.iter().find(|site| site.function.ends_with("History::keep")).unwrap();
    assert_eq!((keep.component.as_str(), keep.place().as_str()), ("session", "src/session.rs:4"));
    // From a third of 900,000 bytes after 4,000 requests, or none, to all of them after 12,000.
    let (was, is, change) = (keep.before.unwrap(), keep.after.unwrap(), keep.difference.unwrap());
    assert!((was.estimate - 75_000.0).abs() < 1.0 && (is.estimate - 18_750.0).abs() < 1.0, "{keep:?}");
    assert!((change.estimate + 56_250.0).abs() < 1.0, "{keep:?}");
    for growth in [was, is, change] {
        assert!(growth.low < growth.estimate && growth.estimate < growth.high, "{keep:?}");
    }
    assert!(sites.iter().all(|site| site.component == "session"), "nothing else leaks: {sites:?}");
}

#[test]
fn a_site_of_a_run_without_stacks_is_unknown_and_one_no_sample_was_taken_of_is_small() {
    let (before, bare) = (with_stacks(leaking(), 4), repaired());
    let site = compare(&before, &bare).sites().remove(0);
    assert!(site.before.is_some() && site.after.is_none() && site.difference.is_none(), "{site:?}");
    let mut after = with_stacks(repaired(), 4);
    after.0.stacks[0].stacks.clear();
    let (steady, mut gone) = (after.clone(), after);
    gone.0.stacks[0].stacks.extend(before.0.stacks[0].stacks.first().cloned());
    let site = compare(&before, &gone).sites().remove(0);
    let after = site.after.unwrap();
    assert_eq!((after.estimate, after.low), (0.0, 0.0));
    // Three intervals in 12,000 requests would be 16 KiB per 1,000; the component as a whole can't have grown by as much.
    let whole = gone.1.component("session").unwrap();
    let limit = whole.minimum_detectable_bytes_per_1000_requests;
    assert!((after.high - limit.max(280.0)).abs() < 1e-9, "{after:?}");
    set(&mut gone, "session", ComponentVerdict::Leak, growth(9_000.0, 100.0));
    let leaks = compare(&before, &gone).sites().remove(0).after.unwrap();
    assert!((leaks.high - 3.0 * 65_536.0 / 12.0).abs() < 1.0, "{leaks:?}");
    assert!(compare(&before, &steady).sites()[0].after.is_none(), "no stack at all is no sample of anything");
    // A second pass that captured every stack misses nothing.
    gone.0.stacks[0].zoom = Some("session".to_owned());
    let after = compare(&before, &gone).sites().remove(0).after.unwrap();
    assert_eq!((after.low, after.estimate, after.high), (0.0, 0.0, 0.0));
}
