//! Things that hold each other.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use crate::case::{Case, Growth, with};
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("Arc cycle", Growth::Steady(with!(2 * 48)), cycle),
    Case::pair("callback holding Arc of itself", Growth::Steady(with!(64 + 64 + 8)), callback),
    Case::pair("subscriber list that only appends", Growth::Steady(with!(0)), subscribers),
];

#[derive(Default)]
struct Peer {
    other: RefCell<Option<Rc<Peer>>>,
    _state: Box<[u8]>,
}

/// Two peers know each other; in the twin one of them forgets.
fn cycle(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    trial.run(async |mut step| {
        // stays: Arc cycle
        let Some(state) = step.event() else { return };
        // stays: Arc cycle
        let one = Rc::new(Peer { other: RefCell::default(), _state: state });
        // stays: Arc cycle
        let other = Rc::new(Peer { other: RefCell::new(Some(Rc::clone(&one))), _state: Box::default() });
        if faulty {
            *one.other.borrow_mut() = Some(other);
        }
    })
}

type Callback = Box<dyn Fn() -> usize>;

struct Widget {
    callbacks: RefCell<Vec<Callback>>,
    state: Box<[u8]>,
}

/// A widget with a callback that needs the widget; the twin's has a weak reference.
fn callback(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    trial.run(async |mut step| {
        // stays: callback holding Arc of itself
        let Some(state) = step.event() else { return };
        // stays: callback holding Arc of itself
        let widget = Rc::new(Widget { callbacks: RefCell::default(), state });
        let (strong, weak): (_, Weak<Widget>) = (Rc::clone(&widget), Rc::downgrade(&widget));
        let callback: Callback = if faulty {
            // stays: callback holding Arc of itself
            Box::new(move || strong.state.len())
        } else {
            Box::new(move || weak.upgrade().map_or(0, |widget| widget.state.len()))
        };
        // stays: callback holding Arc of itself
        widget.callbacks.borrow_mut().push(callback);
    })
}

/// The twin forgets the oldest subscribers.
fn subscribers(trial: Trial) -> Outcome {
    let most = trial.bound(trial.events_in(15));
    let mut subscribers = Vec::new();
    trial.run(async |mut step| {
        // stays: subscriber list that only appends
        if let Some(subscriber) = step.event() {
            // stays: subscriber list that only appends
            subscribers.push(subscriber);
        }
        if subscribers.len() > most {
            subscribers.remove(0);
        }
    })
}
