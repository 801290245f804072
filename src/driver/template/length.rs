use super::TemplateError;
use super::part::{read_number, wrong};
use crate::draw::Draw;

/// Longest text a single part may become. A request has to fit in the memory of driver and server many times.
const LONGEST: u64 = 1 << 20;

/// How long a random text is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Length {
    /// From the first to the second, both included.
    Uniform(u64, u64),
    /// Most are near the median, a few far longer, as the bodies of real requests are.
    LogNormal { median: f64, sigma: f64, most: u64 },
    /// Many short ones, seldom long ones.
    Exponential { mean: f64, most: u64 },
}

impl Length {
    /// Reads `N`, `A..B`, `log-normal:MEDIAN:SIGMA` or `exponential:MEAN`; the latter two may end with `:MOST`.
    pub(super) fn read(source: &str, length: &str) -> Result<Length, TemplateError> {
        let mut words = length.split(':');
        let (name, rest): (_, Vec<&str>) = (words.next().unwrap_or(length), words.collect());
        match (name, rest.as_slice()) {
            ("log-normal", [median, sigma, most @ ..]) if most.len() < 2 => Ok(Length::LogNormal {
                median: read_size(source, median)?,
                sigma: read_sigma(source, sigma)?,
                most: read_most(source, most)?,
            }),
            ("log-normal", _) => {
                Err(wrong(source, "log-normal:MEDIAN:SIGMA or log-normal:MEDIAN:SIGMA:MOST"))
            }
            ("exponential", [mean, most @ ..]) if most.len() < 2 => {
                Ok(Length::Exponential { mean: read_size(source, mean)?, most: read_most(source, most)? })
            }
            ("exponential", _) => Err(wrong(source, "exponential:MEAN or exponential:MEAN:MOST")),
            _ => read_uniform(source, length),
        }
    }

    /// Draws a length.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is too large becomes the largest integer, and lengths are cut"
    )]
    pub(super) fn draw(self, draw: &mut Draw) -> u64 {
        match self {
            Length::Uniform(low, high) => draw.between(low, high),
            Length::LogNormal { median, sigma, most } => {
                (draw.log_normal(median, sigma).round() as u64).min(most)
            }
            Length::Exponential { mean, most } => (draw.exponential(mean).round() as u64).min(most),
        }
    }
}

fn read_uniform(source: &str, length: &str) -> Result<Length, TemplateError> {
    let (low, high) = match length.split_once("..") {
        Some((low, high)) => (read_number(source, low)?, read_number(source, high)?),
        None => {
            let exact = read_number(source, length)?;
            (exact, exact)
        }
    };
    if low > high || high > LONGEST {
        return Err(wrong(source, "a length N, or A..B with A not above B, of at most 1048576"));
    }
    Ok(Length::Uniform(low, high))
}

#[expect(clippy::cast_precision_loss, reason = "it is at most a million")]
fn read_size(source: &str, size: &str) -> Result<f64, TemplateError> {
    match read_number(source, size)? {
        size @ 1..=LONGEST => Ok(size as f64),
        _ => Err(wrong(source, "a length from 1 to 1048576")),
    }
}

fn read_sigma(source: &str, sigma: &str) -> Result<f64, TemplateError> {
    let read = sigma.parse().ok().filter(|sigma: &f64| (0.0..=5.0).contains(sigma));
    read.ok_or_else(|| wrong(source, "a sigma from 0 to 5 behind the median"))
}

/// The length nothing is longer than.
fn read_most(source: &str, most: &[&str]) -> Result<u64, TemplateError> {
    match most.first().map(|most| read_number(source, most)).transpose()? {
        None => Ok(LONGEST),
        Some(most @ 1..=LONGEST) => Ok(most),
        Some(_) => Err(wrong(source, "a greatest length from 1 to 1048576")),
    }
}
