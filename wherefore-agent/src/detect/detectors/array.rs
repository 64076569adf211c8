//! Serialises arrays of any length, element by element. Owns this form; refuses to read a number of elements
//! other than the array's length.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer, T: Serialize, const N: usize>(
    array: &[T; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(array)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>, const N: usize>(
    deserializer: D,
) -> Result<[T; N], D::Error> {
    let elements = Vec::deserialize(deserializer)?;
    let count = elements.len();
    elements.try_into().map_err(|_| D::Error::invalid_length(count, &"as many as in the array"))
}
