use heapsoak_record::{Budgets, ComponentBudget};
use tower_service::Service;

use crate::landed::Landed;
use crate::run::{Run, Steps, in_place};
use crate::service::{Answered, soak_service};
use crate::soaked::Soaked;

/// A soak to be run: a builder.
///
/// ```
/// use heapsoak_testing::Soak;
///
/// heapsoak_testing::allocator!();
///
/// # fn main() {
/// Soak::new("reversing").warm_up(50).iterations(1_000).run(|iteration| iteration.to_string()
///     .chars().rev().collect::<String>().is_empty() == false).assert_no_leak();
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a soak does nothing until it is run"]
pub struct Soak {
    pub(crate) name: String,
    pub(crate) warm_up: u64,
    pub(crate) iterations: u64,
    pub(crate) cycles: u32,
    pub(crate) most_cycles: Option<u32>,
    pub(crate) control_per_1000: f64,
    pub(crate) detection_limit: Option<f64>,
    pub(crate) components: Vec<String>,
    pub(crate) alone: bool,
    pub(crate) budgets: Budgets,
}

impl Soak {
    /// A soak of 2,000 iterations in 20 cycles, after a warm-up of 100 iterations. What no component claims is charged to
    /// this name.
    pub fn new(name: impl Into<String>) -> Soak {
        Soak {
            name: name.into(),
            warm_up: 100,
            iterations: 2_000,
            cycles: 20,
            most_cycles: None,
            control_per_1000: 1024.0,
            detection_limit: None,
            components: Vec::new(),
            alone: false,
            budgets: Budgets::default(),
        }
    }

    /// Iterations before anything is counted: what is made once, and on demand, is made then. Warm-up is measured as well,
    /// so this need not be exact.
    pub fn warm_up(self, iterations: u64) -> Soak {
        Soak { warm_up: iterations, ..self }
    }

    /// Iterations to run, in all cycles together.
    pub fn iterations(self, iterations: u64) -> Soak {
        Soak { iterations: iterations.max(1), ..self }
    }

    /// Cycles the iterations are cut into. Fewer than eight are never judged.
    pub fn cycles(self, cycles: u32) -> Soak {
        Soak { cycles: cycles.max(1), ..self }
    }

    /// Cycles to run at most while the verdict is undecided: four times the planned ones when not given.
    pub fn extend_up_to(self, cycles: u32) -> Soak {
        Soak { most_cycles: Some(cycles), ..self }
    }

    /// The smallest growth that must not be missed, in bytes per 1,000 iterations. The positive control is planted at
    /// this rate, and a soak that would have seen only more in some component fails.
    ///
    /// # Panics
    ///
    /// Below 64: no soak sees that little.
    pub fn detection_limit(self, bytes_per_1000: u32) -> Soak {
        assert!(bytes_per_1000 >= 64, "a detection limit is 64 bytes per 1,000 iterations or more");
        let limit = f64::from(bytes_per_1000);
        Soak { control_per_1000: limit, detection_limit: Some(limit), ..self }
    }

    /// Components that the iterations must use. One that never allocates makes the soak invalid: a test of a cache
    /// that no longer reaches the cache is no test.
    pub fn components<'c>(self, names: impl IntoIterator<Item = &'c str>) -> Soak {
        Soak { components: names.into_iter().map(str::to_owned).collect(), ..self }
    }

    /// Judges descriptors, threads and child processes as well. The system counts these for the whole process, so nothing
    /// else may go on in it: for a test that has its process to itself, as every test has under nextest, and under
    /// `cargo test` the only one of its file. Beside other tests their files and threads would be held against this one.
    pub fn alone_in_its_process(self) -> Soak {
        Soak { alone: true, ..self }
    }

    /// What a component may cost, at most. Its leak passes up to the growth that is allowed here.
    pub fn budget(mut self, component: &str, budget: ComponentBudget) -> Soak {
        self.budgets.component.insert(component.to_owned(), budget);
        self
    }

    /// Runs a closure. It is given the number of the iteration, from 0, and may return nothing, a `bool` or a `Result`:
    /// see [`Landed`].
    ///
    /// # Panics
    ///
    /// If the test binary's allocator does not count: see [`allocator!`](crate::allocator!).
    pub fn run<L: Landed>(self, mut iteration: impl FnMut(u64) -> L) -> Soaked {
        in_place(&self, |number| iteration(number).landed())
    }

    /// Runs an async closure, on a runtime of its own with one thread. Otherwise as [`Soak::run`].
    ///
    /// # Panics
    ///
    /// As [`Soak::run`], and within another runtime.
    pub fn run_async<L: Landed>(self, mut iteration: impl AsyncFnMut(u64) -> L) -> Soaked {
        Run::on_runtime(&self, Steps(async |number| iteration(number).await.landed()))
    }

    /// Calls a tower service with requests made by number, on a runtime of its own with one thread. An error, or an answer
    /// for which `expected` is false, counts as failed.
    ///
    /// # Panics
    ///
    /// As [`Soak::run_async`].
    pub fn run_service<S, Request>(
        self,
        service: S,
        request: impl FnMut(u64) -> Request,
        expected: impl FnMut(&S::Response) -> bool,
    ) -> Soaked
    where
        S: Service<Request>,
    {
        let mut answered = Answered { service, request, expected };
        Run::on_runtime(&self, Steps(async |number| soak_service(&mut answered, number).await))
    }
}
