use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::as_found::Flaws;
use super::order::Order;
use super::{PROCESS, RUNNING, Review, ReviewError, ReviewRequest, Tally, as_found, fixed};
use crate::{CommandLine, Config, Id};

/// Has texts reviewed.
#[derive(Debug)]
pub struct Reviews {
    command: CommandLine,
    models: Vec<String>,
    time_out: Duration,
    flaws: Option<Flaws>,
    stop: CancellationToken,
    under_way: Tally,
}

impl Reviews {
    /// Reviews as configured, healthy or as found.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Reviews> {
        PROCESS.scope(|| {
            Arc::new(Reviews {
                command: config.reviewer_command.clone(),
                models: config.reviewer_models.clone(),
                time_out: config.review_timeout,
                flaws: Flaws::of(&config.as_found),
                stop: CancellationToken::new(),
                under_way: Tally::new(),
            })
        })
    }

    /// Asks every model at once, and waits for all of them. In the healthy server, dropping the future ends the
    /// children.
    pub async fn review(&self, request: ReviewRequest) -> Vec<Review> {
        PROCESS
            .charge(async {
                let models = if request.models.is_empty() { &self.models } else { &request.models };
                join_all(models.iter().map(|model| self.ask(model, &request.text))).await
            })
            .await
    }

    /// Asks every model at once and doesn't wait. The id names the review in what the server writes about it.
    #[must_use]
    pub fn start(self: &Arc<Self>, request: ReviewRequest) -> Id {
        let reviews = self.clone();
        PROCESS.scope(|| {
            heapsoak_probe::spawn(async move { reviews.review(request).await });
            Id::unique("review")
        })
    }

    /// Ends what is under way and waits for its end. Later requests are answered with
    /// [`Stopping`](ReviewError::Stopping).
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.under_way.empty().await;
    }

    async fn ask(&self, model: &str, text: &str) -> Review {
        let _busy = RUNNING.hold();
        let _present = self.under_way.enter();
        let verdict = if self.stop.is_cancelled() {
            Err(ReviewError::Stopping)
        } else {
            let order =
                Order { command: &self.command, model, text, time_out: self.time_out, stop: &self.stop };
            match self.flaws {
                None => fixed::review(order).await,
                Some(flaws) => as_found::review(order, flaws).await,
            }
        };
        Review { model: model.to_owned(), verdict }
    }
}
