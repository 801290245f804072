//! Child processes: a run of few steps, each with a child.

use std::process::{ChildStdout, Command, Stdio};

use crate::case::{Case, Growth, ONE};
use crate::{Outcome, Soak, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("child not waited for", Growth::Resource, not_waited_for).at(ONE),
    Case::pair("pipe kept after kill", Growth::Resource, kept_pipes).at(ONE),
    Case::healthy("transient zombies and descriptors", transient),
];

fn few(mut trial: Trial) -> Trial {
    trial.soak = Soak::new("case").seed(trial.seed).cycles(20).steps_per_cycle(10);
    trial
}

/// The twin waits.
fn not_waited_for(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    few(trial).run(async |_| {
        let child = Command::new("true").spawn().expect("`true` can be started");
        let mut waiting = Some(child).filter(|_| !faulty);
        if let Some(child) = &mut waiting {
            child.wait().expect("it is our child");
        }
    })
}

/// The twin closes the pipe of the child it killed.
fn kept_pipes(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    let mut kept: Vec<ChildStdout> = Vec::new();
    few(trial).run(async |_| {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("`cat` can be started");
        let pipe = child.stdout.take().expect("it was asked for");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        if faulty {
            kept.push(pipe);
        }
    })
}

/// Children are waited for when the next few were started.
fn transient(trial: Trial) -> Outcome {
    let mut running = Vec::new();
    few(trial).run(async |mut step| {
        running.push(Command::new("true").stdout(Stdio::piped()).spawn().expect("`true` can be started"));
        let most = usize::try_from(step.draw.below(6)).unwrap_or(0);
        while running.len() > most {
            running.remove(0).wait().expect("it is our child");
        }
    })
}
