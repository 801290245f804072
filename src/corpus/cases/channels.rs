//! Channels whose other end does not come.

use std::collections::HashMap;

use heapsoak_probe::clock::monotonic;
use tokio::sync::{mpsc, oneshot};

use crate::case::{Amount, Case, FREQUENT, Growth};
use crate::cost::cost_of;
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] =
    &[
        Case::pair("unbounded channel with a slower consumer", Growth::Steady(backlog), slower_consumer)
            .at(FREQUENT),
        Case::pair("oneshot sender kept when no answer comes", Growth::SteadyOf(1, unanswered), no_answer)
            .at(&[Amount::each(8), Amount::each(64), Amount::each(1024), Amount { bytes: 1024, every: 250 }]),
        Case::healthy("bounded channel filling", bounded_channel),
        Case::healthy("burst backlog that drains", bursts),
    ];

/// Half of what is sent, with its share of the channel's own blocks of 32 messages.
fn backlog(amount: &Amount) -> f64 {
    let (sender, _receiver) = mpsc::unbounded_channel::<Box<[u8]>>();
    let slot = cost_of(|| sender.send(Box::default()));
    0.5 * amount.rate() * (amount.bytes as f64 + slot)
}

/// The consumer of the leak keeps up with half of the load, that of the twin with all of it, 500 messages late.
fn slower_consumer(trial: Trial) -> Outcome {
    let (share, late) = (if trial.faulty { 2 } else { 1 }, trial.events_in(5));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut events = 0_u64;
    trial.run(async |mut step| {
        // stays: unbounded channel with a slower consumer
        let Some(message) = step.event() else { return };
        // stays: unbounded channel with a slower consumer
        sender.send(message).expect("the receiver lives");
        events += 1;
        if events.is_multiple_of(share) && receiver.len() > late {
            receiver.recv().await;
        }
    })
}

fn unanswered(amount: &Amount) -> f64 {
    amount.rate() * (amount.bytes as f64 + cost_of(oneshot::channel::<u64>))
}

/// When it was asked, who waits, what was asked.
type Question = (u64, oneshot::Sender<u64>, Box<[u8]>);

/// One question in four is not answered; the twin gives up after a time.
fn no_answer(trial: Trial) -> Outcome {
    let gives_up = !trial.faulty;
    let mut pending: HashMap<u64, Question> = HashMap::with_capacity(ROOM);
    trial.kinds(&[("ask.answered", 3), ("ask.unanswered", 1)]).advancing(30, 1).run(async |mut step| {
        let now = monotonic().as_secs();
        // stays: oneshot sender kept when no answer comes
        if let Some(question) = step.event() {
            // stays: oneshot sender kept when no answer comes
            let (sender, receiver) = oneshot::channel();
            pending.insert(step.number, (now, sender, question));
            if step.kind == 0 {
                let (_, sender, _) = pending.remove(&step.number).expect("it was put there");
                sender.send(step.number).expect("the receiver lives");
                receiver.await.expect("the answer was sent");
            }
        }
        if gives_up && step.number.is_multiple_of(50) {
            pending.retain(|_, (asked, _, _)| *asked + 60 > now);
        }
    })
}

/// The consumer is slower, but the channel is bounded: it fills for six tenths of the run, then turns messages away.
fn bounded_channel(trial: Trial) -> Outcome {
    let (sender, mut receiver) = mpsc::channel(trial.events_in(30));
    trial.run(async |mut step| {
        if let Some(message) = step.event() {
            // Turned away when it is full.
            let _ = sender.try_send(message);
        }
        if step.number.is_multiple_of(2) {
            receiver.recv().await;
        }
    })
}

/// Now and then a few hundred messages at once, which are worked off within some cycles.
fn bursts(trial: Trial) -> Outcome {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    trial.run(async |mut step| {
        let messages = if step.draw.one_in(1500) { 400 + step.draw.below(600) } else { 1 };
        for _ in 0..messages {
            sender.send(step.block(64)).expect("the receiver lives");
        }
        for _ in 0..2 {
            if !receiver.is_empty() {
                receiver.recv().await;
            }
        }
    })
}
