//! The statistics the rules use, each small and named after its paper. No rule of the verdict is in here.

mod chance_of_fit;
mod correlation;
mod count;
mod holm;
mod least_squares;
mod mann_kendall;
mod mean;
mod median;
mod theil_sen;
mod truncation;

pub(crate) use chance_of_fit::{chance_of_fit, combinations};
pub(crate) use correlation::rank_correlation;
pub(crate) use count::{count_interval, events_behind};
pub(crate) use holm::holm;
pub(crate) use least_squares::non_negative_least_squares;
pub(crate) use mann_kendall::{Trend, mann_kendall};
pub(crate) use mean::{MeanRate, chance_of_count, clip_exceptions, counted_rate, mean_rate};
pub(crate) use median::{median, median_absolute_deviation};
pub(crate) use theil_sen::theil_sen;
pub(crate) use truncation::warm_up_length;
