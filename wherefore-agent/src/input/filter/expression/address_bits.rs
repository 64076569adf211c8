//! Numbers of addresses as the language writes them: in part, and as prefixes.

/// An IPv4 net by two to four decimal bytes, the rest of which are 0, and how many there were.
pub(super) fn partial(word: &str) -> Option<(u32, u32)> {
    let bytes: Vec<u8> = word.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let given = u32::try_from(bytes.len()).ok().filter(|given| (2..=4).contains(given))?;
    let bits = bytes.iter().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
    Some((bits.checked_shl(32 - 8 * given)?, given))
}

/// The net that a single number is: its first byte that is not 0 is the address's first. Its bits
/// and its length.
pub(super) fn promoted(number: u32) -> (u32, u32) {
    let missing = if number == 0 { 0 } else { number.leading_zeros() / 8 };
    (number << (8 * missing), 32 - 8 * missing)
}

/// A mask of this many bits for an IPv4 address.
pub(super) fn leading(length: u32) -> u128 {
    u128::MAX.checked_shl(128 - length).unwrap_or(0)
}
