//! Converts pcapng time stamps to nanoseconds since the epoch. Owns this conversion; refuses overflow: a time
//! that does not fit becomes the nearest one that does.

/// How ticks of an interface are converted to nanoseconds (if_tsresol and if_tsoffset of
/// draft-ietf-opsawg-pcapng).
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    scale: Scale,
    offset_s: i64,
}

#[derive(Debug, Clone, Copy)]
enum Scale {
    /// Nanoseconds per tick.
    Times(u64),
    /// Ticks per nanosecond.
    Over(u128),
    /// Ticks per second, as a power of two.
    Binary(u32),
}

impl Default for Clock {
    fn default() -> Self {
        Self { scale: Scale::decimal(6), offset_s: 0 }
    }
}

impl Clock {
    /// Sets if_tsresol: if its top bit is set, the rest is the exponent of a power of two, otherwise of ten.
    pub(super) fn set_resolution(&mut self, resolution: u8) {
        let exponent = u32::from(resolution & 0x7f);
        self.scale =
            if resolution & 0x80 == 0 { Scale::decimal(exponent) } else { Scale::Binary(exponent) };
    }

    /// Sets if_tsoffset, in seconds.
    pub(super) fn set_offset(&mut self, seconds: i64) {
        self.offset_s = seconds;
    }

    /// Nanoseconds since the epoch, saturated.
    pub(super) fn time_ns(self, ticks: u64) -> i64 {
        let offset = i128::from(self.offset_s) * 1_000_000_000;
        let time = self.scale.nanoseconds(ticks) + offset;
        i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
    }
}

impl Scale {
    fn decimal(exponent: u32) -> Self {
        match exponent.checked_sub(9) {
            None => Self::Times(10_u64.pow(9 - exponent)),
            // With a divisor beyond u128 every time is 0, as with the largest u128.
            Some(over) => Self::Over(10_u128.checked_pow(over).unwrap_or(u128::MAX)),
        }
    }

    /// The result is below 2^94 in each case, so neither the cast nor the sum with an offset overflows.
    fn nanoseconds(self, ticks: u64) -> i128 {
        let ticks = u128::from(ticks);
        let nanoseconds = match self {
            Self::Times(factor) => ticks * u128::from(factor),
            Self::Over(divisor) => ticks / divisor,
            Self::Binary(exponent) => (ticks * 1_000_000_000) >> exponent,
        };
        nanoseconds as i128
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    fn at(resolution: u8, offset: i64, ticks: u64) -> i64 {
        let mut clock = Clock::default();
        clock.set_resolution(resolution);
        clock.set_offset(offset);
        clock.time_ns(ticks)
    }

    #[test]
    fn powers_of_ten_and_of_two_are_scaled() {
        assert_eq!(Clock::default().time_ns(1_500_000), 1_500_000_000);
        assert_eq!(at(0, 0, 3), 3_000_000_000);
        assert_eq!(at(9, 0, 7), 7);
        assert_eq!(at(12, 0, 7_999), 7);
        assert_eq!(at(0x80 | 1, 0, 3), 1_500_000_000);
        assert_eq!(at(0x80 | 63, 0, 1 << 63), 1_000_000_000);
    }

    #[test]
    fn offsets_move_the_epoch_both_ways() {
        assert_eq!(at(6, 10, 1), 10_000_001_000);
        assert_eq!(at(6, -10, 0), -10_000_000_000);
    }

    #[test]
    fn extremes_saturate() {
        assert_eq!(at(0, i64::MAX, u64::MAX), i64::MAX);
        assert_eq!(at(127, i64::MIN, 0), i64::MIN);
        assert_eq!(at(127, 0, u64::MAX), 0);
        assert_eq!(at(0xff, 0, u64::MAX), 0);
    }
}
