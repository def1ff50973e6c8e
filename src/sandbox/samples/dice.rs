//! Chance for invented samples: the same on every computer.

/// Numbers that look random and are the same on every computer.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end` (xorshift64*, of which the upper half is used).
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let upper = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) & 0xFFFF_FFFF;
        u32::try_from(upper % u64::from(end.max(1))).unwrap_or(0)
    }

    pub(super) fn between(&mut self, start: u32, end: u32) -> f64 {
        f64::from(start) + f64::from(self.below((end - start) * 16)) / 16.0
    }
}
