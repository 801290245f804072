use std::pin::Pin;
use std::sync::Arc;

use crate::app::App;
use crate::process::{Review, ReviewRequest, Verdict};
use crate::queue::{Claim, Execute, Failure, Outcome};
use crate::session::{SessionError, SessionRequest};

/// How a task is done: an agent session, then reviews of its result.
pub(crate) struct Pipeline(pub(crate) Arc<App>);

impl Execute for Pipeline {
    fn execute<'a>(
        &'a self,
        claim: &'a Claim,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + 'a>> {
        Box::pin(self.run(claim))
    }
}

impl Pipeline {
    async fn run(&self, claim: &Claim) -> Result<Outcome, Failure> {
        let session =
            SessionRequest { prompt: claim.prompt.clone(), resume: None, issue: claim.issue.clone() };
        let outcome = self.0.sessions.run(session).await.map_err(|error| session_failure(&error))?;
        let text = format!("{}\n\n{}", claim.prompt, outcome.result);
        let reviews = self.0.reviews.review(ReviewRequest { text, models: Vec::new() }).await;
        let approved_by = approvals(reviews)?;
        Ok(Outcome::new(&outcome.id, &outcome.result, &approved_by))
    }
}

fn session_failure(error: &SessionError) -> Failure {
    // Whoever cancels a session does not want it to begin again.
    let again = !matches!(error, SessionError::Cancelled { .. });
    Failure { why: error.to_string(), again }
}

/// The models that approved. A rejection, or no verdict at all, is a failure that is worth another attempt.
fn approvals(reviews: Vec<Review>) -> Result<Vec<String>, Failure> {
    let mut approved_by = Vec::new();
    let mut failures = Vec::new();
    for Review { model, verdict } in reviews {
        match verdict {
            Ok(Verdict::Approve) => approved_by.push(model),
            Ok(Verdict::Reject) => {
                return Err(Failure { why: format!("reviewer {model} rejected the result"), again: true });
            }
            Err(error) => failures.push(format!("{model}: {error}")),
        }
    }
    if approved_by.is_empty() {
        let why = format!("no reviewer gave a verdict: {}", failures.join("; "));
        return Err(Failure { why, again: true });
    }
    Ok(approved_by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ReviewError;

    fn review(model: &str, verdict: Result<Verdict, ReviewError>) -> Review {
        Review { model: model.to_owned(), verdict }
    }

    #[test]
    fn one_approval_is_enough_when_the_other_reviewer_failed() {
        let reviews = vec![review("alpha", Err(ReviewError::Stopping)), review("beta", Ok(Verdict::Approve))];
        assert_eq!(approvals(reviews), Ok(vec!["beta".to_owned()]));
    }

    #[test]
    fn a_rejection_outweighs_approvals() {
        let reviews = vec![review("alpha", Ok(Verdict::Approve)), review("beta", Ok(Verdict::Reject))];
        assert!(approvals(reviews).unwrap_err().again);
    }

    #[test]
    fn without_any_verdict_the_task_has_failed() {
        let failure = approvals(vec![review("alpha", Err(ReviewError::Stopping))]).unwrap_err();
        assert_eq!(failure.why, "no reviewer gave a verdict: alpha: the server is shutting down");
    }
}
