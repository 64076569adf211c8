//! Reads addresses as the filter language writes them: partial ones, and prefixes. Owns their bits; refuses
//! to know the grammar.

/// An IPv4 net of two to four decimal bytes, of which the rest is 0; and the number of bytes.
pub(super) fn partial(word: &str) -> Option<(u32, u32)> {
    let bytes: Vec<u8> = word.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let given = u32::try_from(bytes.len()).ok().filter(|given| (2..=4).contains(given))?;
    let bits = bytes.iter().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
    Some((bits.checked_shl(32 - 8 * given)?, given))
}

/// The net that a single number stands for: its first byte that is not 0 is the first byte of the address.
/// Returns bits and length.
pub(super) fn promoted(number: u32) -> (u32, u32) {
    let missing = if number == 0 { 0 } else { number.leading_zeros() / 8 };
    (number << (8 * missing), 32 - 8 * missing)
}

/// A mask of this many bits for an IPv4 address.
pub(super) fn leading(length: u32) -> u128 {
    u128::MAX.checked_shl(128 - length).unwrap_or(0)
}
