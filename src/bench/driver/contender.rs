//! Who is measured: programs, and how they are started.

use heapsoak_bench::work::Requests;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Contender {
    /// As it stands in the table.
    pub(crate) name: &'static str,
    /// Whose program it is.
    pub(crate) subject: &'static str,
    /// Whether it tells what each component allocates.
    pub(crate) per_component: &'static str,
    /// The figure of its requests in the JSON object; peers have theirs under `peers`.
    pub(crate) key: Option<&'static str>,
    /// Environment variables beside those of everyone.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Whether `HEAPSOAK_SOCKET` is set.
    pub(crate) awake: bool,
    /// What it does differently with requests.
    pub(crate) adjust: fn(&mut Requests),
    /// Whether pairs are measured.
    pub(crate) pairs: bool,
    /// By how much its requests are fewer.
    pub(crate) slowness: u32,
    /// A program it is started by.
    pub(crate) starter: Option<&'static str>,
}

impl Contender {
    /// Not the probe.
    pub(crate) fn is_peer(&self) -> bool {
        self.key.is_none()
    }
}

/// What everything is compared with.
pub(crate) const PLAIN: Contender = Contender {
    name: "jemalloc alone",
    subject: "plain",
    per_component: "no",
    key: None,
    environment: &[],
    awake: false,
    adjust: |_| {},
    pairs: true,
    slowness: 1,
    starter: None,
};

const PROBE: Contender = Contender { subject: "probe", per_component: "exact", awake: true, ..PLAIN };

/// The probe's modes, then the others, cheapest first.
pub(crate) const CONTENDERS: &[Contender] = &[
    Contender { name: "probe, exact", key: Some("exact_request_ratio"), ..PROBE },
    Contender {
        name: "probe, exact; a cohort every 100 requests, a kind each",
        key: Some("exact_cohorts_request_ratio"),
        adjust: |work| {
            work.cohort_every = Some(100);
            work.kinds = true;
        },
        pairs: false,
        ..PROBE
    },
    Contender {
        name: "probe, sampled",
        key: Some("sampled_request_ratio"),
        per_component: "estimated",
        environment: &[("HEAPSOAK_MODE", "sampled")],
        ..PROBE
    },
    Contender {
        name: "probe, exact; a stack per 64 KiB",
        key: Some("sampled_stacks_request_ratio"),
        environment: &[("HEAPSOAK_MODE", "stacks:65536")],
        pairs: false,
        ..PROBE
    },
    Contender {
        name: "probe, every stack of one component of ten",
        key: Some("zoom_request_ratio"),
        environment: &[("HEAPSOAK_MODE", "zoom:render")],
        pairs: false,
        ..PROBE
    },
    Contender {
        name: "probe, every stack of the component that allocates most",
        key: Some("zoom_largest_request_ratio"),
        environment: &[("HEAPSOAK_MODE", "zoom:parse")],
        pairs: false,
        ..PROBE
    },
    Contender {
        name: "probe, every stack of every allocation",
        key: Some("stacks_request_ratio"),
        environment: &[("HEAPSOAK_MODE", "stacks")],
        ..PROBE
    },
    Contender {
        name: "probe, asleep",
        key: Some("idle_request_ratio"),
        per_component: "no",
        awake: false,
        ..PROBE
    },
    Contender {
        name: "jemalloc's profiler, a sample per 512 KiB",
        subject: "profiling",
        environment: &[("_RJEM_MALLOC_CONF", "prof:true,prof_active:true,lg_prof_sample:19")],
        ..PLAIN
    },
    Contender {
        name: "jemalloc's profiler, every allocation",
        subject: "profiling",
        environment: &[("_RJEM_MALLOC_CONF", "prof:true,prof_active:true,lg_prof_sample:0")],
        slowness: 20,
        ..PLAIN
    },
    Contender { name: "cap", subject: "cap", ..PLAIN },
    Contender { name: "stats_alloc", subject: "stats-alloc", ..PLAIN },
    Contender {
        name: "tracking-allocator",
        subject: "tracking-allocator",
        per_component: "yes; realloc charges anew",
        ..PLAIN
    },
    Contender { name: "the system's allocator alone", subject: "system", ..PLAIN },
    Contender {
        name: "heaptrack (over the system's allocator)",
        subject: "system",
        slowness: 8,
        starter: Some("heaptrack"),
        ..PLAIN
    },
    Contender { name: "dhat (over the system's allocator)", subject: "dhat", slowness: 20, ..PLAIN },
];
