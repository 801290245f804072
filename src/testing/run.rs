use heapsoak_probe::count;
use heapsoak_record::Event;
use heapsoak_verdict::{Judgement, RunVerdict, judge};

use crate::control::Control;
use crate::counted::Counted;
use crate::rest::{rest, rest_async};
use crate::scope::Scope;
use crate::sites::Look;
use crate::soak::Soak;
use crate::soaked::Soaked;

/// Async iterations.
pub(crate) struct Steps<F>(pub(crate) F);

/// A soak under way. What it holds itself is charged to the tool.
pub(crate) struct Run<'s> {
    soak: &'s Soak,
    scope: Scope,
    counted: Counted,
    control: Control,
    cycle: u32,
    planned: u32,
    look: Option<Look>,
}

/// Runs iterations in the thread of the caller.
pub(crate) fn in_place(soak: &Soak, mut iteration: impl FnMut(u64) -> bool) -> Soaked {
    let mut run = Run::start(soak);
    let scope = run.scope;
    // Numbered through, warm-up included: no iteration is told twice.
    let mut numbers = 0..;
    let mut step = |run: &mut Run<'_>, counts: bool| {
        let number = numbers.next().unwrap_or(u64::MAX);
        let landed = {
            let _scope = scope.iterations.enter();
            iteration(number)
        };
        if counts {
            run.counted.landed(landed);
        }
    };
    for _ in 0..soak.warm_up {
        step(&mut run, false);
    }
    let rested = rest(&scope);
    run.take_down(&rested);
    while run.goes_on() {
        run.begin();
        for _ in 0..soak.per_cycle() {
            step(&mut run, true);
        }
        let rested = rest(&scope);
        run.take_down(&rested);
    }
    if run.look() {
        for _ in 0..soak.per_cycle() {
            step(&mut run, false);
        }
        drop(rest(&scope));
    }
    run.finish()
}

impl<'s> Run<'s> {
    /// Runs async iterations on a runtime of their own.
    pub(crate) fn on_runtime<F: AsyncFnMut(u64) -> bool>(soak: &'s Soak, mut steps: Steps<F>) -> Soaked {
        let mut run = Run::start(soak);
        let scope = run.scope;
        let runtime = {
            let _own = scope.own.enter();
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime with one thread can be made")
        };
        // Tasks spawned by the iterations are polled on this thread, so they are in the scope as well.
        let inside = scope.iterations.enter();
        runtime.block_on(run.soak_async(&mut steps));
        drop(inside);
        let soaked = run.finish();
        runtime.shutdown_background();
        soaked
    }

    async fn soak_async<F: AsyncFnMut(u64) -> bool>(&mut self, steps: &mut Steps<F>) {
        let scope = self.scope;
        let mut number = 0;
        for _ in 0..self.soak.warm_up {
            (steps.0)(number).await;
            number += 1;
        }
        let rested = rest_async(&scope).await;
        self.take_down(&rested);
        while self.goes_on() {
            self.begin();
            for _ in 0..self.soak.per_cycle() {
                let landed = (steps.0)(number).await;
                number += 1;
                self.counted.landed(landed);
            }
            let rested = rest_async(&scope).await;
            self.take_down(&rested);
        }
        if self.look() {
            for _ in 0..self.soak.per_cycle() {
                (steps.0)(number).await;
                number += 1;
            }
            drop(rest_async(&scope).await);
        }
    }

    fn start(soak: &'s Soak) -> Run<'s> {
        count();
        let scope = Scope::new(&soak.name);
        let _own = scope.own.enter();
        let control = Control::new(soak.control_per_1000);
        Run {
            soak,
            scope,
            counted: Counted::start(soak),
            control,
            cycle: 0,
            planned: soak.cycles,
            look: None,
        }
    }

    /// Begins a cycle, with its share of the control.
    fn begin(&mut self) {
        self.cycle += 1;
        let planted = self.control.plant(&self.scope, self.cycle, self.soak.per_cycle());
        let _own = self.scope.own.enter();
        self.counted.event(planted);
    }

    fn take_down(&mut self, rested: &crate::rest::Rested) {
        let _own = self.scope.own.enter();
        self.counted.snapshot(&self.scope, &self.soak.name, self.cycle, rested);
    }

    /// Whether there is another cycle: planned, or wanted by an undecided verdict.
    fn goes_on(&mut self) -> bool {
        let _own = self.scope.own.enter();
        if self.cycle < self.planned {
            return true;
        }
        self.counted.end();
        let judgement = judge(&self.counted.recording);
        let room = self.soak.most_cycles().saturating_sub(self.cycle);
        let more = more_cycles(&judgement, self.soak.per_cycle()).min(room);
        if more > 0 {
            self.planned += more;
            let (cycle, cycles) = (self.cycle, self.planned);
            self.counted.event(Event::Extended {
                cycle,
                cycles,
                why: "the verdict was undecided".to_owned(),
            });
        }
        more > 0
    }

    /// Whether another cycle is to be run to see where what leaks is allocated.
    fn look(&mut self) -> bool {
        let _own = self.scope.own.enter();
        self.look = Look::start(&judge(&self.counted.recording), &self.scope, &self.soak.name);
        self.look.is_some()
    }

    fn finish(self) -> Soaked {
        let _own = self.scope.own.enter();
        let recording = self.counted.recording.clone();
        let sites = self.look.map(|look| look.end(&self.scope)).unwrap_or_default();
        let judgement = judge(&recording);
        Soaked::new(self.soak, recording, judgement, sites)
    }
}

/// How many more cycles would probably decide a soak; none when it is decided.
fn more_cycles(judgement: &Judgement, per_cycle: u64) -> u32 {
    if judgement.verdict != RunVerdict::Inconclusive {
        return 0;
    }
    let wanted = judgement.wanted_requests.unwrap_or(judgement.requests.sent / 4).div_ceil(per_cycle.max(1));
    u32::try_from(wanted.max(1)).unwrap_or(u32::MAX)
}
