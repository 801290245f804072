//! The positive control of a run: how much the probe leaks on purpose, and when.

use heapsoak_record::Event;

use crate::probe::{Probe, ProbeError};

/// Blocks planted in each cycle: with the fewest cycles that are judged, more than a verdict needs to see.
const BLOCKS_PER_CYCLE: u32 = 4;

/// Largest block of the control.
const LARGEST_BLOCK: f64 = 1024.0 * 1024.0;

/// Plants the control at a rate, cycle by cycle.
#[derive(Debug)]
pub(crate) struct Control {
    /// Bytes per 1,000 requests.
    rate: f64,
    planted: (u64, u64),
    /// What should be planted by now, in bytes.
    due: f64,
    refused: bool,
}

impl Control {
    pub(crate) fn new(bytes_per_1000_requests: f64) -> Control {
        Control { rate: bytes_per_1000_requests, planted: (0, 0), due: 0.0, refused: false }
    }

    /// The server was restarted: nothing is planted in it.
    pub(crate) fn begin_anew(&mut self) {
        self.planted = (0, 0);
        self.due = 0.0;
    }

    /// To go on where another run with this rate broke off.
    pub(crate) fn resume(bytes_per_1000_requests: f64, events: &[Event]) -> Control {
        let mut control = Control::new(bytes_per_1000_requests);
        for event in events {
            match event {
                Event::ControlPlanted { blocks, bytes, .. } => {
                    control.planted.0 += blocks;
                    control.planted.1 += bytes;
                }
                Event::ControlMissing { .. } => control.refused = true,
                _ => {}
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let planted = control.planted.1 as f64;
        control.due = planted;
        control
    }

    /// Plants the control's share of some cycles of so many requests each. Returns what to record of it; nothing once the
    /// probe has refused.
    pub(crate) async fn plant(
        &mut self,
        probe: &mut Probe,
        cycle: u32,
        cycles: u32,
        requests: u64,
    ) -> Result<Option<Event>, ProbeError> {
        if self.refused || self.rate <= 0.0 {
            return Ok(None);
        }
        match probe.plant_control(BLOCKS_PER_CYCLE * cycles, self.next_block(cycles, requests)).await {
            Ok(sum) => {
                let (blocks, bytes) = (sum.0 - self.planted.0, sum.1 - self.planted.1);
                self.planted = sum;
                Ok(Some(Event::ControlPlanted { cycle, blocks, bytes }))
            }
            Err(error @ (ProbeError::Refused(_) | ProbeError::Mismatch)) => {
                self.refused = true;
                Ok(Some(Event::ControlMissing { cycle, why: error.to_string() }))
            }
            Err(error) => Err(error),
        }
    }

    /// Size of the next blocks, such that what is planted follows the rate: what one cycle rounds away, the next adds.
    fn next_block(&mut self, cycles: u32, requests: u64) -> u32 {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let (requests, planted) = (requests as f64, self.planted.1 as f64);
        self.due += self.rate * f64::from(cycles) * requests / 1000.0;
        let block = (self.due - planted) / f64::from(BLOCKS_PER_CYCLE * cycles);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in these bounds")]
        let block = block.round().clamp(1.0, LARGEST_BLOCK) as u32;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_follows_the_rate_to_a_few_bytes() {
        let mut control = Control::new(1_024.0);
        let mut planted = 0_u64;
        for _ in 0..100 {
            control.planted.1 = planted;
            planted += u64::from(BLOCKS_PER_CYCLE * control.next_block(1, 37));
        }
        let due = 1_024.0 * 3.7;
        assert!((planted as f64 - due).abs() <= 4.0, "{planted} planted, {due} due");
    }

    #[test]
    fn a_rate_below_a_byte_a_block_still_plants_something() {
        assert_eq!(Control::new(0.001).next_block(1, 1), 1);
    }
}
