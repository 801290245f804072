use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{ApiError, Body};
use crate::Id;
use crate::app::App;
use crate::process::{Review, ReviewRequest, Verdict};

/// Models one request may ask.
const MODELS: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    text: String,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default = "yes")]
    wait: bool,
}

fn yes() -> bool {
    true
}

#[derive(Serialize)]
struct Reviewed {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Answers {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    reviews: Vec<Reviewed>,
}

#[derive(Serialize)]
struct Started {
    id: Id,
}

/// `POST /reviews`.
pub(super) async fn review(
    State(app): State<Arc<App>>,
    Body(Ask { text, models, wait }): Body<Ask>,
) -> Result<Response, ApiError> {
    // A model's name becomes an argument of a command: it must not look like a flag or a path.
    let fits = |model: &String| !model.starts_with('-') && model.parse::<Id>().is_ok();
    if models.len() > MODELS || !models.iter().all(fits) {
        let why = format!("'models' must be at most {MODELS} names of letters, digits, '_' and '-'");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let request = ReviewRequest { text, models };
    if !wait {
        let id = app.reviews.start(request);
        return Ok((StatusCode::ACCEPTED, Json(Started { id })).into_response());
    }
    let reviews = app.reviews.review(request).await;
    let failed = reviews.iter().all(|review| review.verdict.is_err());
    let error = failed.then(|| "no reviewer gave a verdict".to_owned());
    let status = if failed { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    let reviews = reviews.into_iter().map(describe).collect();
    Ok((status, Json(Answers { error, reviews })).into_response())
}

fn describe(review: Review) -> Reviewed {
    let (verdict, error) = match review.verdict {
        Ok(verdict) => (Some(verdict), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Reviewed { model: review.model, verdict, error }
}
