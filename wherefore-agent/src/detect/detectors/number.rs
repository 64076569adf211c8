//! The few mathematical functions that detection needs. Owns their approximations, which use only additions,
//! multiplications and divisions, so that they give the same bits on every machine and with every libc.
//! Refuses more precision than a score shows.

/// The largest number of bytes that is accepted for one interval: 2^62, some 4.6 EB.
const MOST_BYTES: f64 = 4_611_686_018_427_387_904.0;

/// Coefficients of log2(m) / (m - 1) as a polynomial in m, for m from 1 to 2. The error of the logarithm is
/// below 0.0001.
const LOG2: [f32; 5] = [2.883_685_6, -2.507_881_6, 1.467_897_7, -0.459_762_8, 0.058_664_9];

/// The base-2 logarithm of a positive, normal number; for any other input some finite number.
pub(crate) fn log2(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23 & 0xff) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000);
    let [a, b, c, d, e] = LOG2;
    let slope = a + mantissa * (b + mantissa * (c + mantissa * (d + mantissa * e)));
    exponent as f32 + (mantissa - 1.0) * slope
}

/// 2 to a power from 0 to 126.
pub(crate) fn exp2(x: f32) -> f32 {
    let x = x.clamp(0.0, 126.0);
    let whole = x as u32;
    let rest = (x - whole as f32) * std::f32::consts::LN_2;
    let series = 1.0 + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0))));
    f32::from_bits((whole + 127) << 23) * series
}

/// Makes a valid number of bytes: NaN and negative numbers become 0, and there is a maximum.
pub(super) fn bytes(value: f64) -> f32 {
    if value > 0.0 { value.min(MOST_BYTES) as f32 } else { 0.0 }
}

/// Makes a valid value of any other quantity: NaN becomes 0, and it is limited like bytes, in both
/// directions.
pub(super) fn finite(value: f64) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(-MOST_BYTES, MOST_BYTES) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_and_powers_are_close_enough() {
        for step in 0..10_000 {
            let x = 1e-6 * 1.007f32.powi(step % 9_000);
            assert!((log2(x) - x.log2()).abs() < 1e-4, "log2 of {x}");
        }
        for step in 0..1_000 {
            let x = step as f32 / 10.0;
            assert!((exp2(x) / x.exp2() - 1.0).abs() < 1e-3, "2 to the {x}");
        }
        assert_eq!((log2(1.0), log2(1024.0), exp2(0.0), exp2(10.0)), (0.0, 10.0, 1.0, 1024.0));
    }

    #[test]
    fn odd_numbers_become_usable_ones() {
        assert_eq!(bytes(f64::NAN), 0.0);
        assert_eq!(bytes(-5.0), 0.0);
        assert_eq!(f64::from(bytes(f64::INFINITY)), MOST_BYTES);
        assert_eq!(finite(f64::NAN), 0.0);
        assert_eq!(f64::from(finite(f64::NEG_INFINITY)), -MOST_BYTES);
    }
}
