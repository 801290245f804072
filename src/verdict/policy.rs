/// The limits of the rules. The default is what heapsoak's own gate uses; tests and tools may vary it.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Level of all tests together.
    pub alpha: f64,
    /// Fewer cycles than this leave every answer open.
    pub least_cycles: usize,
    /// Share of the requests that must be answered as expected.
    pub least_landed: f64,
    /// Share of the snapshots that may be taken without rest.
    pub most_not_quiet: f64,
    /// Share of the cohorts taken as warm-up when the measurement finds less.
    pub least_warm_up: f64,
    /// Share of the cohorts that is too young to be judged.
    pub youngest: f64,
    /// Share of its blocks that an old cohort may lose in the last third of its life and still count as settled.
    pub most_decay: f64,
    /// Groups of cohorts a leak must show in.
    pub least_groups: usize,
    /// Survivors expected in each group; cohorts are pooled until there are as many.
    pub survivors_per_group: f64,
    /// Share of the groups that must keep something.
    pub least_keeping: f64,
    /// Growth below this is not called a leak, in bytes per 1,000 requests of the run.
    pub least_growth: f64,
    /// A unit that grew by less in the whole run is stable, in bytes.
    pub least_rise: f64,
    /// Undecided growth below this leaves the run decided, in bytes per 1,000 requests of the run.
    pub least_undecided: f64,
    /// A few survivors that may be the first of a leak leave the run undecided from here on, in bytes per 1,000 requests
    /// of the run.
    pub least_undecided_survivors: f64,
    /// Memory freed by time and held at once below this is not worth a finding, in bytes.
    pub least_time_held: f64,
    /// The same, in bytes per request that triggers it.
    pub least_time_held_per_request: f64,
    /// Allocation per request below this is not churn, however much it grew.
    pub least_growing_churn: f64,
    /// By which factor allocation per request must grow through a run to be churn.
    pub churn_factor: f64,
    /// Allocation per request from which on it is churn even when it does not grow.
    pub extreme_churn: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            alpha: 0.05,
            least_cycles: 8,
            least_landed: 0.99,
            most_not_quiet: 0.2,
            least_warm_up: 0.1,
            youngest: 1.0 / 6.0,
            most_decay: 0.07,
            least_groups: 4,
            survivors_per_group: 3.0,
            least_keeping: 0.8,
            least_growth: 64.0,
            least_rise: 4096.0,
            least_undecided: 1000.0,
            least_undecided_survivors: 256.0,
            least_time_held: 256.0 * 1024.0,
            least_time_held_per_request: 4096.0,
            least_growing_churn: 1024.0,
            churn_factor: 2.0,
            extreme_churn: 1024.0 * 1024.0,
        }
    }
}
