//! Random times between steps.

use std::time::Duration;

/// Random times between steps: xorshift64*, because any generator will do and a seed must repeat
/// them.
pub struct Jitter {
    most: Duration,
    state: u64,
}

impl Jitter {
    /// At most `most`, from this seed.
    pub fn new(most: Duration, seed: u64) -> Jitter {
        // The state must not be zero; the odd constant spreads small seeds.
        Jitter { most, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// The next time.
    pub fn next(&mut self) -> Duration {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let random = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        let most_us = self.most.as_micros() as u64;
        Duration::from_micros((most_us * random) >> 32)
    }
}
