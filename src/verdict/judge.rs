//! The way from a recording to its judgement.

use heapsoak_record::{Recording, UNSCOPED, Unit};

use crate::attribution::{Suspects, adopt, attribute};
use crate::claims::claims;
use crate::components::{Component, components, most, publish};
use crate::control;
use crate::evidence::{Judged, sum};
use crate::findings::{LeakingResource, findings};
use crate::judgement::{
    ComponentVerdict, Finding, Growth, Judgement, OutOfMemory, Quality, Requests, ResourceJudgement,
    ResourcePoint, RunVerdict,
};
use crate::policy::Policy;
use crate::quality::{not_analysed, quality, requests};
use crate::resources::{Series, least_rise, resources};
use crate::restarts::judge_longest;
use crate::timeline::Timeline;
use crate::words::{count, growth, list};

/// Judges a recording with the default policy.
#[must_use]
pub fn judge(recording: &Recording) -> Judgement {
    judge_with(recording, &Policy::default())
}

/// Judges a recording.
#[must_use]
pub fn judge_with(recording: &Recording, policy: &Policy) -> Judgement {
    let restarted = recording.has_restarts().then(|| judge_longest(recording, policy));
    restarted.flatten().unwrap_or_else(|| judge_stretch(recording, &requests(recording), policy))
}

/// Judges a recording of one process. `requests` are those of the whole run.
pub(crate) fn judge_stretch(recording: &Recording, requests: &Requests, policy: &Policy) -> Judgement {
    let timeline = Timeline::new(recording);
    let mut components = components(&timeline, policy);
    let planted = control::take(&mut components);
    let control = control::control(&timeline, planted.as_ref(), policy);
    let series = resources(&timeline, policy);
    let triggers = triggers(&timeline, &components, &series);
    let leaking = leaking_resources(&components, &series, &triggers);
    let findings = findings(&timeline, &components, &leaking, policy);
    let warm_up = components.iter().map(|component| component.whole.evidence.rest.warm_up).max().unwrap_or(0);
    let quality = quality(&timeline, requests, warm_up, control, policy);
    let wanted = components.iter().filter_map(|component| component.wanted).fold(None, most);
    let (verdict, reasons) = answer(&components, &series, &findings, &quality, policy);
    let out_of_memory = out_of_memory(&timeline, &components, &series);
    Judgement {
        verdict,
        reasons,
        combined_impact_at_10000_requests_bytes: 10.0 * out_of_memory.growth_bytes_per_1000_requests.estimate,
        out_of_memory,
        claims: claims(&timeline, &components, &findings, &leaking),
        wanted_requests: (verdict == RunVerdict::Inconclusive)
            .then(|| wanted.unwrap_or_else(|| timeline.requests()).max(1.0).ceil() as u64),
        not_analysed: not_analysed(&timeline, quality.control.is_some()),
        components: components.iter().map(|component| publish(&timeline, component)).collect(),
        resources: series
            .iter()
            .zip(triggers)
            .map(|(series, triggers)| publish_resource(&timeline, series, triggers, policy))
            .collect(),
        findings,
        requests: *requests,
        quality,
    }
}

/// The kinds each leaking resource's growth comes from; none for the others.
fn triggers(timeline: &Timeline<'_>, components: &[Component], series: &[Series]) -> Vec<Vec<String>> {
    let distinct = |parts: &dyn Fn(&Judged) -> bool| {
        let mut kinds: Vec<usize> = components
            .iter()
            .flat_map(|component| &component.parts)
            .filter(|part| parts(part))
            .filter_map(|part| part.unit.kind)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    };
    let suspects = Suspects {
        leaking: distinct(&Judged::leaks),
        waiting: distinct(&|part| part.evidence.time.is_some()),
    };
    let kinds = &timeline.recording.header.kinds;
    let leaks = |series: &Series| series.verdict == ComponentVerdict::Leak;
    let own: Vec<Vec<String>> = series
        .iter()
        .map(|series| if leaks(series) { attribute(timeline, series, &suspects) } else { Vec::new() })
        .map(|found| found.into_iter().map(|kind| kinds[kind].name.clone()).collect())
        .collect();
    let others: Vec<(&Series, &[String])> = series.iter().zip(own.iter().map(Vec::as_slice)).collect();
    series
        .iter()
        .zip(&own)
        .map(
            |(series, own)| {
                if leaks(series) && own.is_empty() { adopt(series, &others) } else { own.clone() }
            },
        )
        .collect()
}

fn leaking_resources(
    components: &[Component],
    series: &[Series],
    triggers: &[Vec<String>],
) -> Vec<LeakingResource> {
    series
        .iter()
        .zip(triggers)
        .filter(|(series, _)| series.verdict == ComponentVerdict::Leak)
        .map(|(series, kinds)| LeakingResource {
            name: series.name.clone(),
            unit: series.unit,
            kinds: kinds.clone(),
            homes: homes(components, kinds),
            per_1000: series.slope,
        })
        .collect()
}

/// The components that leak on some of the kinds: for each kind the one it is named after, else any, `unscoped` last.
fn homes(components: &[Component], kinds: &[String]) -> Vec<String> {
    let mut homes: Vec<String> = Vec::new();
    for kind in kinds {
        let leaking = || {
            components.iter().filter(|component| {
                component.leaking().any(|part| part.kind().is_some_and(|own| own == kind))
            })
        };
        let home = leaking()
            .find(|component| kind.split('.').next() == Some(&component.name))
            .or_else(|| leaking().find(|component| component.name != UNSCOPED))
            .or_else(|| leaking().next());
        homes.extend(home.map(|component| component.name.clone()));
    }
    homes
}

fn answer(
    components: &[Component],
    series: &[Series],
    findings: &[Finding],
    quality: &Quality,
    policy: &Policy,
) -> (RunVerdict, Vec<String>) {
    if !quality.failures.is_empty() {
        return (RunVerdict::Invalid, quality.failures.clone());
    }
    let leaks: Vec<String> = components
        .iter()
        .filter(|component| component.verdict == ComponentVerdict::Leak)
        .map(|component| format!("{} keeps {} per 1,000 requests", component.name, growth(component.growth)))
        .chain(series.iter().filter(|series| series.verdict == ComponentVerdict::Leak).map(|series| {
            let grown = match series.unit {
                Unit::Count => count(series.slope.estimate),
                Unit::Bytes => growth(series.slope),
            };
            format!("{} grow by {grown} per 1,000 requests", series.name)
        }))
        .collect();
    if !leaks.is_empty() {
        return (RunVerdict::Leak, leaks);
    }
    if (quality.cycles as usize) < policy.least_cycles {
        let why = format!(
            "{} cycles were recorded, {} are needed to tell a leak from warm-up",
            quality.cycles, policy.least_cycles
        );
        return (RunVerdict::Inconclusive, vec![why]);
    }
    let open: Vec<&str> = components
        .iter()
        .filter(|component| component.verdict == ComponentVerdict::Inconclusive)
        .map(|component| component.name.as_str())
        .chain(
            series
                .iter()
                .filter(|series| series.judged && series.verdict == ComponentVerdict::Inconclusive)
                .map(|series| series.name.as_str()),
        )
        .collect();
    if !open.is_empty() {
        let why = format!("{} still rose when the run ended", list(&open));
        return (RunVerdict::Inconclusive, vec![why]);
    }
    let others = match findings.len() {
        0 => "nothing grows beyond the detection limits of this run".to_owned(),
        number => format!(
            "nothing grows beyond the detection limits of this run; {} of another kind",
            crate::words::plural(number, "finding")
        ),
    };
    (RunVerdict::Clean, vec![others])
}

fn out_of_memory(timeline: &Timeline<'_>, components: &[Component], series: &[Series]) -> OutOfMemory {
    let leaking: Vec<Growth> = components
        .iter()
        .filter(|component| component.verdict == ComponentVerdict::Leak)
        .map(|component| component.growth)
        // Bytes of the process leak only where no heap was counted.
        .chain(
            series
                .iter()
                .filter(|series| series.unit == Unit::Bytes && series.verdict == ComponentVerdict::Leak)
                .map(|series| series.slope),
        )
        .collect();
    let last = timeline.instants.last();
    let live: f64 = components.iter().map(|component| component.whole.evidence.level.end).sum();
    let resident = timeline.snapshots.last().and_then(|snapshot| snapshot.resource("rss"));
    OutOfMemory {
        growth_bytes_per_1000_requests: sum(&leaking),
        requests_per_second: last
            .filter(|last| last.elapsed_ms > 0.0)
            .map_or(0.0, |last| last.requests / last.elapsed_ms * 1000.0),
        resident_bytes: resident.unwrap_or(live as u64),
        limit_bytes: timeline.recording.header.target.memory_limit_bytes,
    }
}

fn publish_resource(
    timeline: &Timeline<'_>,
    series: &Series,
    triggered_by: Vec<String>,
    policy: &Policy,
) -> ResourceJudgement {
    let peak = series.values.iter().copied().fold(0.0, f64::max);
    let spread = (series.slope.high - series.slope.low) / 2.0;
    let thousands = (timeline.requests() / 1000.0).max(0.001);
    let first = series.troughs.first().map_or(0.0, |&index| series.values[index]);
    let last = series.troughs.last().map_or(0.0, |&index| series.values[index]);
    let mut evidence = vec![format!(
        "at {} quiet points past warm-up it went from {} to {}; chance of such a rise without a trend: {:.2} \
         (Mann-Kendall)",
        series.troughs.len(),
        count(first),
        count(last),
        series.trend.p,
    )];
    if !series.judged {
        evidence.push("bytes of the process are shown, and not judged".to_owned());
    }
    ResourceJudgement {
        name: series.name.clone(),
        unit: series.unit,
        verdict: series.verdict,
        growth_per_1000_requests: series.slope,
        minimum_detectable_per_1000_requests: spread.max(least_rise(series, policy) / thousands),
        bound: (series.verdict == ComponentVerdict::Bounded).then_some(peak as u64),
        triggered_by,
        series: timeline
            .instants
            .iter()
            .zip(&series.values)
            .map(|(instant, value)| ResourcePoint {
                requests: instant.requests as u64,
                after_advance: instant.moment == heapsoak_record::Moment::AfterAdvance,
                value: *value as u64,
            })
            .collect(),
        evidence,
    }
}
