//! When the next sample is due: of blocks, or of stacks.

/// Counts down to a sample. Distances are exponential with a mean of one, so that each byte has the same chance,
/// whatever was sampled before.
#[derive(Debug)]
pub(crate) struct Random {
    state: u64,
    left: f64,
}

impl Random {
    /// Not usable before it [begins](Random::begin).
    pub(crate) const fn unseeded() -> Random {
        Random { state: 0, left: 0.0 }
    }

    /// Starts a sequence of its own for each seed.
    pub(crate) fn begin(&mut self, seed: usize) {
        // Whatever the last owner had gets mixed in. Never zero, which would stay zero.
        self.state = (self.state.rotate_left(32) ^ (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1;
        for _ in 0..8 {
            self.next();
        }
        self.left = self.distance();
    }

    /// Goes so far; whether a sample was due on the way.
    #[inline]
    pub(crate) fn passes(&mut self, step: f64) -> bool {
        self.left -= step;
        if self.left > 0.0 {
            return false;
        }
        self.left = self.distance();
        true
    }

    /// Draws a distance.
    pub(crate) fn distance(&mut self) -> f64 {
        let uniform = ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        -uniform.ln()
    }

    /// xorshift64*, by Sebastiano Vigna.
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_as_often_as_they_should_whatever_the_step() {
        for step in [0.001, 0.02, 0.5, 2.0] {
            let mut random = Random::unseeded();
            random.begin(7);
            let trials = 400_000;
            let hits = (0..trials).filter(|_| random.passes(step)).count();
            let expected = (1.0 - (-step).exp()) * f64::from(trials);
            // Five standard deviations of a binomial count.
            let allowed = 5.0 * (expected * (-step).exp()).sqrt().max(1.0);
            assert!((hits as f64 - expected).abs() < allowed, "{step}: {hits}, expected {expected}");
        }
    }
}
