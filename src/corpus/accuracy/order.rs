use heapsoak_corpus::{Amount, Planted};
use serde::{Deserialize, Serialize};

use crate::error::AccuracyError;

/// What a child process is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) case: String,
    pub(crate) faulty: bool,
    pub(crate) bytes: u64,
    pub(crate) every: u64,
    pub(crate) seed: u64,
    /// Short cycles, judged after each of them.
    pub(crate) stepwise: bool,
    /// Size and rate of a leak planted beside the case.
    pub(crate) planted: Option<(usize, f64)>,
}

impl Order {
    pub(crate) fn parse(text: &str) -> Result<Order, AccuracyError> {
        serde_json::from_str(text).map_err(AccuracyError::BadOrder)
    }

    pub(crate) fn amount(&self) -> Amount {
        Amount { bytes: self.bytes, every: self.every }
    }

    pub(crate) fn planted(&self) -> Option<Planted> {
        self.planted.map(|(bytes, rate)| Planted { bytes, rate })
    }
}
