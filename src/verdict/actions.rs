//! What to do about a finding, in a sentence.

use crate::judgement::Pattern;
use crate::words::list;

/// The first step to take.
pub(crate) fn action(pattern: Pattern, component: &str, kinds: &[String], resources: &[String]) -> String {
    let requests = if kinds.is_empty() { "background work".to_owned() } else { list(kinds) };
    let (add, are) = if kinds.len() > 1 { ("add", "are") } else { ("adds", "is") };
    match pattern {
        Pattern::UnboundedGrowth => format!(
            "find the container of {component} that {requests} {add} to, and bound it: remove the entry when its \
             request is done, or give it a capacity or an expiry"
        ),
        Pattern::CleanupGap => format!(
            "follow {requests} through {component} and free on this error path what the other paths free: let a guard \
             own it, so that every way out drops it"
        ),
        Pattern::ResourceLifecycle => format!(
            "let {component} own {} from start to end: on every way out of {requests}, stop and reap the process or \
             task, and close its descriptors",
            list(resources)
        ),
        Pattern::Churn => format!(
            "look for work in {component} that is repeated in full for each of {requests}, like copying or rebuilding \
             a collection, and do it in place or once"
        ),
        Pattern::TimeDriven if kinds.is_empty() => format!(
            "find the timer or loop of {component} that adds to memory without being asked, and give what it keeps \
             a bound"
        ),
        Pattern::TimeDriven => format!(
            "let {component} give it back as soon as {requests} {are} done instead of when its time is up, or bound how \
             much may wait"
        ),
    }
}
