use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use heapsoak_probe::{Context, clock};
use serde::Serialize;

use super::record::Record;
use super::{Failure, NewTask, NotQueued, Outcome, Priority, State, Task};
use crate::{Config, Defect, Id};

/// The tasks in memory and their order. Knows nothing of files, workers or waiting.
pub(super) struct Board {
    tasks: BTreeMap<Id, Box<Slot>>,
    /// Most urgent first, then in order of arrival: ids of tasks are in that order.
    queued: BTreeSet<(Reverse<Priority>, Id)>,
    delayed: BTreeSet<(Duration, Id)>,
    /// The unfinished task of each issue.
    issues: BTreeMap<Id, Id>,
    finished: VecDeque<Id>,
    active: usize,
    running: usize,
    paused: bool,
    limits: Limits,
    /// As found (`queue.duplicate-check`): the check looks for a *task* of the issue's id, and there never is one.
    checks_wrong_id: bool,
}

struct Slot {
    task: Task,
    /// What the task is charged to, here and where it is run.
    context: Context,
}

#[derive(Clone, Copy)]
struct Limits {
    capacity: usize,
    finished: usize,
    retries: u32,
}

/// A task handed to a worker.
#[derive(Debug)]
pub struct Claim {
    /// The task.
    pub id: Id,
    /// What the agent is asked: the title, and the description below it.
    pub prompt: String,
    /// The tracker's issue behind it.
    pub issue: Option<Id>,
    /// What the work is charged to.
    pub context: Context,
}

/// What a worker is to do.
pub(super) enum Next {
    Claim(Claim),
    /// Nothing, until something changes, or until a delayed task is due.
    Wait(Option<Duration>),
    Stopped,
}

/// How many tasks are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Wait for a worker.
    pub queued: usize,
    /// Wait for their next attempt.
    pub delayed: usize,
    /// Are marked active.
    pub active: usize,
    /// Are run by a worker.
    pub running: usize,
    /// Are done or failed, and still known.
    pub finished: usize,
    /// Are known at all.
    pub tasks: usize,
    /// Whether waiting tasks are held back.
    pub paused: bool,
}

impl Board {
    pub(super) fn new(config: &Config) -> Board {
        Board {
            tasks: BTreeMap::new(),
            queued: BTreeSet::new(),
            delayed: BTreeSet::new(),
            issues: BTreeMap::new(),
            finished: VecDeque::new(),
            active: 0,
            running: 0,
            paused: false,
            limits: Limits {
                capacity: config.queue_capacity,
                finished: config.finished_tasks,
                retries: config.retries,
            },
            checks_wrong_id: config.as_found.has(Defect::QueueDuplicateCheck),
        }
    }

    /// Puts a task of an earlier server back. One that was active or delayed then is queued now, unless it was begun
    /// as often as it may.
    pub(super) fn restore(&mut self, mut task: Task) {
        let worn_out = task.attempts > self.limits.retries;
        match task.state {
            State::Done | State::Failed => self.finished.push_back(task.id.clone()),
            State::Active if worn_out => {
                task.state = State::Failed;
                task.error = Some(format!("the server ended during attempt {}", task.attempts));
                self.finished.push_back(task.id.clone());
            }
            State::Queued | State::Delayed | State::Active => {
                task.state = State::Queued;
                self.queued.insert((Reverse(task.priority), task.id.clone()));
                if let Some(issue) = &task.issue {
                    self.issues.insert(issue.clone(), task.id.clone());
                }
            }
        }
        let slot = Slot { task, context: Context::current() };
        self.tasks.insert(slot.task.id.clone(), Box::new(slot));
        self.drop_oldest_finished();
    }

    pub(super) fn add(&mut self, new: NewTask, context: Context) -> Result<Id, NotQueued> {
        if let Some(issue) = &new.issue {
            let earlier = if self.checks_wrong_id {
                self.tasks.get(issue).map(|slot| &slot.task.id)
            } else {
                self.issues.get(issue)
            };
            if let Some(task) = earlier {
                return Err(NotQueued::Duplicate { issue: issue.clone(), task: task.clone() });
            }
        }
        if self.queued.len() + self.delayed.len() >= self.limits.capacity {
            return Err(NotQueued::Full(self.limits.capacity));
        }
        let id = Id::unique("task");
        if let Some(issue) = &new.issue {
            self.issues.insert(issue.clone(), id.clone());
        }
        self.queued.insert((Reverse(new.priority), id.clone()));
        let task = Task {
            id: id.clone(),
            issue: new.issue,
            title: new.title,
            description: new.description,
            priority: new.priority,
            state: State::Queued,
            attempts: 0,
            created_unix_ms: clock::unix_ms(),
            outcome: None,
            error: None,
        };
        self.tasks.insert(id.clone(), Box::new(Slot { task, context }));
        Ok(id)
    }

    /// Takes a task back that was added and not claimed since.
    pub(super) fn withdraw(&mut self, id: &Id) {
        if let Some(slot) = self.tasks.remove(id) {
            self.queued.remove(&(Reverse(slot.task.priority), id.clone()));
            self.release_issue(&slot.task);
        }
    }

    pub(super) fn claim(&mut self, now: Duration) -> Next {
        if self.paused {
            return Next::Wait(None);
        }
        while let Some((due, _)) = self.delayed.first()
            && *due <= now
        {
            let Some((_, id)) = self.delayed.pop_first() else { break };
            if let Some(slot) = self.tasks.get_mut(&id) {
                let _scope = slot.context.enter();
                slot.task.state = State::Queued;
                self.queued.insert((Reverse(slot.task.priority), id));
            }
        }
        let Some((_, id)) = self.queued.pop_first() else {
            return Next::Wait(self.delayed.first().map(|(due, _)| due.saturating_sub(now)));
        };
        let slot = self.tasks.get_mut(&id).expect("every queued task is in memory");
        let _scope = slot.context.enter();
        slot.task.state = State::Active;
        slot.task.attempts += 1;
        self.active += 1;
        self.running += 1;
        Next::Claim(Claim {
            id,
            prompt: format!("{}\n{}", slot.task.title, slot.task.description),
            issue: slot.task.issue.clone(),
            context: slot.context,
        })
    }

    /// As found (`queue.fails-open`): leaves a claimed task active though nobody runs it.
    pub(super) fn strand_claimed(&mut self) {
        self.running -= 1;
    }

    pub(super) fn finish(
        &mut self,
        id: &Id,
        went: Result<Outcome, Failure>,
        now: Duration,
        backoff: Duration,
    ) {
        let Some(slot) = self.tasks.get_mut(id).filter(|slot| slot.task.state == State::Active) else {
            return;
        };
        let _scope = slot.context.enter();
        self.active -= 1;
        self.running -= 1;
        let task = &mut slot.task;
        match went {
            Ok(outcome) => {
                task.outcome = Some(outcome);
                task.error = None;
                task.state = State::Done;
            }
            Err(failure) => {
                let again = failure.again && task.attempts <= self.limits.retries;
                task.state = if again { State::Delayed } else { State::Failed };
                task.error = Some(failure.why);
                if again {
                    let due = now.saturating_add(pause_before(task.attempts, backoff));
                    self.delayed.insert((due, id.clone()));
                    return;
                }
            }
        }
        self.finished.push_back(id.clone());
        if let Some(issue) = &task.issue
            && self.issues.get(issue) == Some(id)
        {
            self.issues.remove(issue);
        }
    }

    /// Forgets the oldest finished tasks beyond the limit.
    pub(super) fn drop_oldest_finished(&mut self) {
        while self.finished.len() > self.limits.finished {
            if let Some(id) = self.finished.pop_front() {
                self.tasks.remove(&id);
            }
        }
    }

    pub(super) fn task(&self, id: &Id) -> Option<&Task> {
        self.tasks.get(id).map(|slot| &slot.task)
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().map(|slot| &slot.task)
    }

    /// What a file must hold to come back to this state.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.tasks().map(Record::added)
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            queued: self.queued.len(),
            delayed: self.delayed.len(),
            active: self.active,
            running: self.running,
            finished: self.finished.len(),
            tasks: self.tasks.len(),
            paused: self.paused,
        }
    }

    fn release_issue(&mut self, task: &Task) {
        if let Some(issue) = &task.issue
            && self.issues.get(issue) == Some(&task.id)
        {
            self.issues.remove(issue);
        }
    }
}

/// The pause after an attempt: doubled each time, an hour at most.
fn pause_before(attempts: u32, backoff: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    backoff.saturating_mul(factor).min(Duration::from_secs(3_600))
}
