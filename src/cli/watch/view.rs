/// What the screen shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct View {
    /// What is watched.
    pub(crate) title: String,
    /// How far it is, in a line.
    pub(crate) progress: String,
    /// Share of the plan that is done, 0 to 1; none where there is no plan.
    pub(crate) done: Option<f64>,
    /// What growth is measured against: `per 1,000 requests`.
    pub(crate) per: &'static str,
    /// The components, the one that grows most first.
    pub(crate) components: Vec<ComponentLine>,
    /// What the system lends to the process.
    pub(crate) resources: Vec<ResourceLine>,
    /// What is to be known at the bottom.
    pub(crate) foot: String,
}

/// A component on the screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ComponentLine {
    pub(crate) name: String,
    /// The verdict so far; empty where none is given.
    pub(crate) verdict: &'static str,
    /// Whether the verdict is bad news.
    pub(crate) is_bad: bool,
    /// Live bytes so far.
    pub(crate) live: Vec<u64>,
    /// The growth with its interval, in words.
    pub(crate) growth: String,
    pub(crate) interval: String,
    /// The growth, to be sorted by.
    pub(crate) rate: f64,
}

/// A resource on the screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResourceLine {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) since_start: String,
}

impl View {
    /// Sorts the components: what grows most stands first.
    pub(crate) fn sort(&mut self) {
        self.components.sort_by(|a, b| b.rate.total_cmp(&a.rate).then_with(|| a.name.cmp(&b.name)));
    }

    /// Rows it takes to show everything.
    pub(crate) fn rows(&self) -> u16 {
        let lines = 8 + self.components.len() + self.resources.len().div_ceil(2);
        u16::try_from(lines).unwrap_or(u16::MAX)
    }
}
