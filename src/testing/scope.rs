use std::sync::atomic::{AtomicU32, Ordering};

use heapsoak_probe::{Component, Context, RequestKind};
use heapsoak_record::{CONTROL_COMPONENT, ContextHeap, Heap, OWN_COMPONENT};

use crate::cohorts::Cohorts;

/// Kind of what an iteration allocates, unless a layer names another.
pub(crate) const KIND: &str = "iteration";

/// The scope of one soak: the component at the root of all its paths, of a name no other soak has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    root: &'static str,
    /// What iterations are charged to.
    pub(crate) iterations: Context,
    /// What the soak itself is charged to.
    pub(crate) own: Context,
    /// What the control is charged to.
    pub(crate) control: Context,
}

impl Scope {
    pub(crate) fn new(name: &str) -> Scope {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let _outermost = Context::default().enter();
        let _own = Component::new(OWN_COMPONENT).enter();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root: &'static str = Box::leak(format!("{name} #{number}").into_boxed_str());
        let _outermost = Context::default().enter();
        let inside = Component::new(root).enter();
        let (own, control) =
            (Component::new(OWN_COMPONENT).context(), Component::new(CONTROL_COMPONENT).context());
        let iterations = Context::current().with_kind(RequestKind::named(KIND));
        drop(inside);
        Scope { root, iterations, own, control }
    }

    /// Name of the component at the root.
    pub(crate) fn root(&self) -> &'static str {
        self.root
    }

    /// What of a process's heap is the soak's, as if it were a process of its own.
    pub(crate) fn of(&self, heap: &Heap, name: &str, cohorts: &Cohorts) -> Heap {
        let contexts: Vec<ContextHeap> = heap
            .contexts
            .iter()
            .filter(|context| context.path[0] == self.root)
            .map(|context| {
                let mut path = context.path[1..].to_vec();
                if path.is_empty() {
                    path.push(name.to_owned());
                }
                ContextHeap { path, survivors: cohorts.renumber(&context.survivors), ..context.clone() }
            })
            .collect();
        Heap {
            cohort: cohorts.now(),
            total_live_bytes: contexts.iter().map(ContextHeap::live_bytes).sum(),
            total_live_blocks: contexts.iter().map(ContextHeap::live_blocks).sum(),
            contexts,
            ..Heap::default()
        }
    }

    /// Blocks the iterations allocated and freed so far: stands still when they do.
    pub(crate) fn moves(&self, heap: &Heap) -> (u64, u64) {
        let own = heap.contexts.iter().filter(|context| context.path[0] == self.root);
        own.filter(|context| context.component() != OWN_COMPONENT)
            .fold((0, 0), |sum, context| (sum.0 + context.allocated_blocks, sum.1 + context.freed_blocks))
    }
}
