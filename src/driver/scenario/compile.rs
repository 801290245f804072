//! From a file's fields to a scenario that can be run: everything a file can get wrong beyond its syntax.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::time::Duration;

use bytes::Bytes;
use heapsoak_record::{Budgets, Claim};
use http::{HeaderName, Method};

use super::file::{
    self, ActionFile, AnswersFile, KindFile, LoadFile, ScenarioFile, SignFile, StageFile, StepFile,
};
use super::hint::did_you_mean;
use super::include::Resolved;
use super::phase::{When, compile_phases};
use super::target::read_target;
use super::{
    Action, Advance, Answers, Fault, Flow, Kind, Payload, Rate, Replay, Restart, Scenario, ScenarioError,
    Sign, Spread, Stage, Step,
};
use crate::template::Template;

/// Rates that requests may begin at, in a second.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;

/// Stage of a kind that names none.
const MAIN: &str = "main";

/// Checks and compiles a scenario.
pub(super) fn compile(name: String, resolved: &Resolved) -> Result<Scenario, ScenarioError> {
    let Resolved { source, file, origins } = resolved;
    let target = read_target(file.target.as_ref().map(toml::Spanned::get_ref), source)?;
    let stages = compile_stages(resolved, &target.secret)?;
    let mut kinds = Vec::new();
    for (kind, weight) in &file.weights {
        let problem = |message: String, help| source.problem_with_help(kind.span(), message, help);
        if !weight.get_ref().is_finite() || *weight.get_ref() < 0.0 {
            return Err(source.problem(weight.span(), "a weight is a number from zero up"));
        }
        let Some(definition) = file.kind.get(kind.get_ref().as_str()) else {
            let known: Vec<&str> = file.kind.keys().map(|known| known.get_ref().as_str()).collect();
            let help = did_you_mean(kind.get_ref(), known.iter().copied())
                .or_else(|| Some(format!("known kinds: {}", known.join(", "))));
            return Err(problem(format!("unknown request kind '{}'", kind.get_ref()), help));
        };
        if *weight.get_ref() > 0.0 {
            let flow = compile_flow(definition, file, &stages, &target.secret).map_err(|message| {
                // Where the kind is defined, which may be in an included file.
                let origin = origins.get(kind.get_ref()).unwrap_or(source);
                let key = file.kind.keys().find(|known| known.get_ref() == kind.get_ref());
                let place = key.map_or_else(|| kind.span(), toml::Spanned::span);
                origin.problem(place, format!("kind '{}': {message}", kind.get_ref()))
            })?;
            kinds.push(Kind { name: kind.get_ref().clone(), weight: *weight.get_ref(), flow });
        }
    }
    if kinds.is_empty() {
        return Err(source.problem(0..0, "no request kind has a weight: add a [weights] table"));
    }
    for index in 0..kinds.len() {
        if let Some(of) = kinds[index].flow.replay.as_ref().map(|replay| replay.of) {
            kinds[of].flow.replayed = true;
        }
    }
    let load = file.load.as_ref().ok_or_else(|| source.problem(0..0, "the table [load] is missing"))?;
    let load = check_load(load.get_ref(), resolved)?;
    let warm_up = compile_phases(&file.warm_up, When::WarmUp, source)?;
    if let Some(first) = file.warm_up.first().filter(|_| kinds.iter().all(|kind| kind.flow.stage != 0)) {
        let message = "nothing can be sent before the cycles: every kind belongs to a stage of its own";
        return Err(source.problem(first.get_ref().name.span(), message));
    }
    Ok(Scenario {
        name,
        description: file.description.clone().unwrap_or_default(),
        seed: file.seed.unwrap_or(1),
        target,
        unused_kinds: unused_kinds(file, &kinds),
        kinds,
        cycles: load.cycles,
        max_cycles: load.max_cycles,
        requests_per_cycle: load.requests_per_cycle,
        concurrency: load.concurrency,
        rate: load.rate,
        spread: load.spread,
        keep_alive: load.keep_alive,
        http2_connections: load.http2_connections,
        advance: read_advance(resolved)?,
        restart: read_restart(resolved)?,
        expect: file.expect.as_ref().map(|expect| expect.get_ref().clone()),
        budgets: read_budgets(resolved)?,
        claims: read_claims(file),
        source: toml::to_string(file)
            .map_err(|error| source.problem(0..0, format!("can't be written again: {error}")))?,
        warm_up,
        phases: compile_phases(&file.phase, When::Cycle, source)?,
        stages,
    })
}

struct Load {
    cycles: u32,
    max_cycles: u32,
    requests_per_cycle: u64,
    concurrency: u32,
    rate: Option<Rate>,
    spread: Spread,
    keep_alive: bool,
    http2_connections: u32,
}

fn check_load(load: &LoadFile, resolved: &Resolved) -> Result<Load, ScenarioError> {
    let problem = |span, message: &str| Err(resolved.source.problem(span, message));
    let cycles = *load.cycles.get_ref();
    if cycles == 0 {
        return problem(load.cycles.span(), "at least one cycle is needed");
    }
    if *load.requests_per_cycle.get_ref() == 0 {
        return problem(load.requests_per_cycle.span(), "at least one request per cycle is needed");
    }
    if let Some(max) = load.max_cycles.as_ref().filter(|max| *max.get_ref() < cycles) {
        return problem(max.span(), "max-cycles is below cycles");
    }
    if let Some(slots) = load.concurrency.as_ref().filter(|slots| !(1..=1024).contains(slots.get_ref())) {
        return problem(slots.span(), "concurrency is a number from 1 to 1024");
    }
    if let Some(rate) = load.rate.as_ref().filter(|rate| !RATES.contains(rate.get_ref())) {
        return problem(rate.span(), "rate is requests a second, from 0.001 to 1000000");
    }
    let phases = resolved.file.warm_up.iter().chain(&resolved.file.phase);
    let paced = phases.filter(|phase| phase.get_ref().rate.is_some()).count() > 0;
    if let Some(rate) = load.rate.as_ref().filter(|_| !resolved.file.phase.is_empty()) {
        return problem(rate.span(), "each [[phase]] has a rate of its own: leave this one out");
    }
    if let Some(arrivals) = load.arrivals.as_ref().filter(|_| load.rate.is_none() && !paced) {
        let why = "how arrivals are spread needs their rate: add rate, in requests a second";
        return problem(arrivals.span(), why);
    }
    if let Some(connections) = &load.http2_connections {
        let http2 = resolved.file.target.as_ref().is_some_and(|target| target.get_ref().is_http2());
        if !http2 {
            let why = "requests share connections with HTTP/2 only: say http = \"2\" in [target]";
            return problem(connections.span(), why);
        }
        if !(1..=1024).contains(connections.get_ref()) {
            return problem(connections.span(), "http2-connections is a number from 1 to 1024");
        }
    }
    Ok(Load {
        cycles,
        max_cycles: load.max_cycles.as_ref().map_or(cycles, |max| *max.get_ref()),
        requests_per_cycle: *load.requests_per_cycle.get_ref(),
        concurrency: load.concurrency.as_ref().map_or(4, |slots| *slots.get_ref()),
        rate: load.rate.as_ref().map(|rate| Rate { from: *rate.get_ref(), to: *rate.get_ref() }),
        spread: load.arrivals.as_ref().map_or_else(Spread::default, |spread| *spread.get_ref()),
        keep_alive: load.keep_alive.unwrap_or(true),
        http2_connections: load.http2_connections.as_ref().map_or(1, |connections| *connections.get_ref()),
    })
}

fn read_advance(resolved: &Resolved) -> Result<Option<Advance>, ScenarioError> {
    let Some(clock) = &resolved.file.clock else { return Ok(None) };
    if clock.advance.get_ref().0 == 0 {
        return Err(resolved.source.problem(clock.advance.span(), "an advance of nothing has no effect"));
    }
    if let Some(every) = clock.every.as_ref().filter(|every| *every.get_ref() == 0) {
        return Err(resolved.source.problem(every.span(), "every 0 cycles is never: write 1 or more"));
    }
    let every = clock.every.as_ref().map_or(1, |every| *every.get_ref());
    Ok(Some(Advance {
        by: *clock.advance.get_ref(),
        every,
        source: clock.source,
        library: clock.library.clone(),
    }))
}

fn read_restart(resolved: &Resolved) -> Result<Option<Restart>, ScenarioError> {
    let Some(restart) = &resolved.file.restart else { return Ok(None) };
    match *restart.every.get_ref() {
        0 => Err(resolved.source.problem(restart.every.span(), "every 0 cycles is never: write 1 or more")),
        every => Ok(Some(Restart { every, kill: restart.kill })),
    }
}

fn read_budgets(resolved: &Resolved) -> Result<Budgets, ScenarioError> {
    let Some(budgets) = &resolved.file.budget else { return Ok(Budgets::default()) };
    match budgets.get_ref().problem() {
        Some(problem) => Err(resolved.source.problem(budgets.span(), problem)),
        None => Ok(budgets.get_ref().clone()),
    }
}

fn read_claims(file: &ScenarioFile) -> Vec<Claim> {
    let claim = |claim: &file::ClaimFile| Claim {
        component: claim.component.clone(),
        says: claim.says.clone(),
        bytes_per_1000_requests: claim.bytes_per_1000_requests,
        unbounded: claim.unbounded,
    };
    file.claim.iter().map(claim).collect()
}

fn unused_kinds(file: &ScenarioFile, kinds: &[Kind]) -> Vec<String> {
    let defined = file.kind.keys().map(|name| name.get_ref().clone());
    defined.filter(|name| !kinds.iter().any(|kind| kind.name == *name)).collect()
}

fn compile_stages(resolved: &Resolved, secret: &str) -> Result<Vec<Stage>, ScenarioError> {
    let mut stages = vec![Stage { name: MAIN.to_owned(), ..Stage::default() }];
    for (name, stage) in &resolved.file.stage {
        let StageFile { before, after } = stage;
        let compile = |actions: &[toml::Spanned<ActionFile>]| {
            let compiled = actions.iter().map(|action| compile_action(action.get_ref(), secret));
            compiled.collect::<Result<Vec<_>, _>>().map_err(|message| {
                resolved.source.problem(0..0, format!("stage '{}': {message}", name.get_ref()))
            })
        };
        let stage = Stage { name: name.get_ref().clone(), before: compile(before)?, after: compile(after)? };
        if stage.name == MAIN {
            stages[0] = stage;
        } else {
            stages.push(stage);
        }
    }
    Ok(stages)
}

fn compile_action(action: &ActionFile, secret: &str) -> Result<Action, String> {
    match (&action.path, &action.obstruct, &action.fill, &action.forbid, &action.restore) {
        (Some(path), None, None, None, None) => {
            let step = StepFile {
                method: action.method.unwrap_or(file::Method::Post),
                path: path.clone(),
                headers: BTreeMap::new(),
                body: action.body.clone(),
                body_file: None,
                body_hex: action.body_hex.clone(),
                sign: None,
                expect: action
                    .expect
                    .clone()
                    .unwrap_or_else(|| AnswersFile { ok: vec![200, 202, 204], ..AnswersFile::default() }),
                remember: BTreeMap::new(),
            };
            Ok(Action::Request(Box::new(compile_step(&step, secret)?)))
        }
        (None, Some(path), None, None, None) => check_relative(path).map(Action::Obstruct),
        (None, None, Some(path), None, None) => check_relative(path).map(Action::Fill),
        (None, None, None, Some(path), None) => check_relative(path).map(Action::Forbid),
        (None, None, None, None, Some(path)) => check_relative(path).map(Action::Restore),
        _ => {
            Err("a step has one of 'path' (a request), 'obstruct', 'fill', 'forbid' and 'restore'".to_owned())
        }
    }
}

fn check_relative(path: &str) -> Result<String, String> {
    let plain = |component| matches!(component, Component::Normal(_));
    if !path.is_empty() && Path::new(path).components().all(plain) {
        return Ok(path.to_owned());
    }
    Err(format!("'{path}' is no path inside the data folder"))
}

fn compile_flow(
    kind: &KindFile,
    file: &ScenarioFile,
    stages: &[Stage],
    secret: &str,
) -> Result<Flow, String> {
    let wanted = kind.stage.as_ref().map_or(MAIN, |stage| stage.get_ref());
    let stage = stages
        .iter()
        .position(|stage| stage.name == wanted)
        .ok_or_else(|| format!("no stage is called '{wanted}'"))?;
    let unanswered = kind.fault.is_some_and(Fault::has_no_answer);
    let expect = match &kind.expect {
        Some(expect) => expect,
        None if unanswered => &AnswersFile::default(),
        None => return Err("'expect' is missing: which status codes may it be answered with?".to_owned()),
    };
    if !unanswered && compile_answers(expect).allows_nothing() {
        return Err("'expect' allows no status code and no line".to_owned());
    }
    let bind: Vec<_> =
        kind.bind.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut flow =
        Flow { stage, bind, steps: Vec::new(), replay: None, replayed: false, holds: kind.holds.clone() };
    if let Some(of) = &kind.replay_of {
        if kind.path.is_some() || kind.setup.is_some() {
            return Err("a kind with 'replay-of' sends what it replays: it has no path or setup".to_owned());
        }
        flow.replay = Some(Replay {
            of: find_replayed(of.get_ref(), file, wanted)?,
            append: compile_headers(kind.append.as_ref()),
            expect: compile_answers(expect),
        });
        return Ok(flow);
    }
    if kind.append.is_some() {
        return Err("'append' goes with 'replay-of'".to_owned());
    }
    let (path, body) = match (&kind.path, &kind.send) {
        (Some(path), None) => (path.clone(), kind.body.clone()),
        (None, Some(line)) => (Template::empty(), Some(file::Body(line.clone()))),
        (Some(_), Some(_)) => {
            return Err("'send' is a line in place of 'path': it has one of them".to_owned());
        }
        (None, None) => return Err("it has no 'path' and no 'send'".to_owned()),
    };
    let last = StepFile {
        method: kind.method.unwrap_or(file::Method::Get),
        path,
        headers: kind.headers.clone().unwrap_or_default(),
        body,
        body_file: None,
        body_hex: kind.body_hex.clone(),
        sign: kind.sign.clone(),
        expect: expect.clone(),
        remember: BTreeMap::new(),
    };
    let steps = kind.setup.iter().flatten().chain([&last]);
    flow.steps = steps.map(|step| compile_step(step, secret)).collect::<Result<_, _>>()?;
    if let Some(step) = flow.steps.last_mut() {
        step.fault = kind.fault;
    }
    check_names(&flow)?;
    Ok(flow)
}

/// Index, among the kinds with a weight, of the kind to be replayed.
fn find_replayed(of: &str, file: &ScenarioFile, stage: &str) -> Result<usize, String> {
    let definition = file.kind.get(of).ok_or_else(|| format!("replay-of names the unknown kind '{of}'"))?;
    if definition.replay_of.is_some() {
        return Err(format!("'{of}' is itself a replay"));
    }
    if definition.stage.as_ref().map_or(MAIN, |stage| stage.get_ref()) != stage {
        return Err(format!("'{of}' runs in another stage, so nothing of it can be replayed"));
    }
    let weighted = file.weights.iter().filter(|(_, weight)| *weight.get_ref() > 0.0);
    let mut names = weighted.map(|(name, _)| name.get_ref().as_str());
    names
        .position(|name| name == of)
        .ok_or_else(|| format!("'{of}' has no weight, so nothing of it can be replayed"))
}

/// Every `{{$name}}` has a value by the time it is needed.
fn check_names(flow: &Flow) -> Result<(), String> {
    let mut known: Vec<&str> = Vec::new();
    let check = |template: &Template, known: &[&str]| match template
        .names()
        .find(|name| !known.contains(name))
    {
        Some(name) => Err(format!("'{{{{${name}}}}}' is used, but nothing gives '{name}' a value before")),
        None => Ok(()),
    };
    for (name, value) in &flow.bind {
        check(value, &known)?;
        known.push(name);
    }
    for step in &flow.steps {
        for template in step.templates() {
            check(template, &known)?;
        }
        known.extend(step.remember.iter().map(|(name, _)| name.as_str()));
    }
    Ok(())
}

fn compile_step(step: &StepFile, secret: &str) -> Result<Step, String> {
    let body = match (&step.body, &step.body_hex) {
        (Some(_), Some(_)) => return Err("a body is given twice: keep 'body' or 'body-hex'".to_owned()),
        (Some(text), None) => Some(Payload::Text(text.0.clone())),
        (None, bytes) => bytes.as_ref().map(|bytes| Payload::Bytes(Bytes::from(bytes.0.clone()))),
    };
    Ok(Step {
        method: match step.method {
            file::Method::Get => Method::GET,
            file::Method::Post => Method::POST,
            file::Method::Put => Method::PUT,
            file::Method::Patch => Method::PATCH,
            file::Method::Delete => Method::DELETE,
        },
        path: step.path.clone(),
        headers: compile_headers(Some(&step.headers)),
        body,
        sign: step.sign.as_ref().map(|sign| compile_sign(sign, secret)),
        fault: None,
        expect: compile_answers(&step.expect),
        remember: step.remember.iter().map(|(name, at)| (name.clone(), at.clone())).collect(),
    })
}

fn compile_sign(sign: &SignFile, secret: &str) -> Sign {
    Sign {
        header: compile_header(&sign.header),
        secret: sign.secret.clone().unwrap_or_else(|| secret.to_owned()),
    }
}

fn compile_headers(headers: Option<&BTreeMap<file::HeaderName, Template>>) -> Vec<(HeaderName, Template)> {
    let headers = headers.into_iter().flatten();
    headers.map(|(name, value)| (compile_header(name), value.clone())).collect()
}

fn compile_header(name: &file::HeaderName) -> HeaderName {
    HeaderName::try_from(&name.0).expect("header names are checked when the file is read")
}

fn compile_answers(answers: &AnswersFile) -> Answers {
    let headers = answers.header.iter().map(|(name, value)| (compile_header(name), value.clone()));
    let json = answers.json.iter().map(|(pointer, value)| (pointer.clone(), value.clone()));
    Answers {
        ok: answers.ok.clone(),
        error: answers.error.clone(),
        line: answers.line.clone(),
        error_line: answers.error_line.clone(),
        headers: headers.collect(),
        json: json.collect(),
        closed: answers.closed,
        within: answers.within.map(|within| Duration::from_millis(within.0)),
    }
}
