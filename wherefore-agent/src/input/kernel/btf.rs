//! The offsets of fields in the running kernel's structures (BTF). Owns this format
//! (Documentation/bpf/btf.rst), as far as structures need it; does not trust lengths in it.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// The types of the running kernel.
pub(super) const KERNEL: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
/// Anonymous structures and unions within each other; deeper ones are not searched.
const DEPTH: u32 = 8;

/// Types, as the kernel describes them.
pub(super) struct Types {
    bytes: Vec<u8>,
    strings: usize,
    /// The position of each type; the first one has number 1.
    types: Vec<usize>,
}

impl Types {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path);
        let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(bytes).with_context(|| format!("{} is not BTF", path.display()))
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let magic = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
        if magic != MAGIC {
            return None;
        }
        let header = u32_at(&bytes, 4)? as usize;
        let types = header.checked_add(u32_at(&bytes, 8)? as usize)?;
        let end = types.checked_add(u32_at(&bytes, 12)? as usize)?;
        let strings = header.checked_add(u32_at(&bytes, 16)? as usize)?;
        let mut found = Self { bytes, strings, types: Vec::new() };
        let mut at = types;
        while at < end {
            let what = u32_at(&found.bytes, at + 4)?;
            let (kind, members) = (what >> 24 & 0x1f, (what & 0xffff) as usize);
            found.types.push(at);
            at += 12 + len(kind, members)?;
        }
        Some(found)
    }

    /// The offset of a field, in bytes. It may be in an anonymous part of the structure.
    pub(super) fn offset(&self, structure: &str, field: &str) -> Result<u32> {
        for at in &self.types {
            if self.kind(*at) != Some(STRUCT) || self.name(*at) != Some(structure.as_bytes()) {
                continue;
            }
            if let Some(offset) = self.field(*at, field, DEPTH) {
                return Ok(offset);
            }
        }
        bail!("this kernel's {structure} has no {field}")
    }

    fn kind(&self, at: usize) -> Option<u32> {
        Some(u32_at(&self.bytes, at + 4)? >> 24 & 0x1f)
    }

    fn field(&self, at: usize, field: &str, depth: u32) -> Option<u32> {
        let what = u32_at(&self.bytes, at + 4)?;
        (0..(what & 0xffff) as usize).find_map(|member| {
            let member = at + 12 + 12 * member;
            // The highest byte is the size of a bit field.
            let offset = (u32_at(&self.bytes, member + 8)? & 0x00ff_ffff) / 8;
            let name = self.name(member)?;
            if name == field.as_bytes() {
                return Some(offset);
            }
            let number = u32_at(&self.bytes, member + 4)?.checked_sub(1)?;
            let part = *self.types.get(number as usize)?;
            if !name.is_empty() || !matches!(self.kind(part)?, STRUCT | UNION) {
                return None;
            }
            offset.checked_add(self.field(part, field, depth.checked_sub(1)?)?)
        })
    }

    /// The name that a type or member begins with.
    fn name(&self, at: usize) -> Option<&[u8]> {
        let start = self.strings.checked_add(u32_at(&self.bytes, at)? as usize)?;
        self.bytes.get(start..)?.split(|byte| *byte == 0).next()
    }
}

/// The number of bytes that follow a type of this kind.
fn len(kind: u32, members: usize) -> Option<usize> {
    Some(match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => 12 * members,
        6 | 13 => 8 * members,
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_ne_bytes(bytes.get(at..end)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let strings = b"\0int\0pair\0a\0b\0outer\0";
        let integer = [1, 1 << 24, 4, 32];
        let pair = [5, STRUCT << 24 | 2, 8, 10, 1, 0, 12, 1, 32];
        // An anonymous part that begins at its second word.
        let outer = [14, STRUCT << 24 | 1, 12, 0, 2, 32];
        let types: Vec<u8> = integer
            .iter()
            .chain(&pair)
            .chain(&outer)
            .flat_map(|word: &u32| word.to_ne_bytes())
            .collect();
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn fields_are_at_their_documented_offsets() {
        let types = Types::parse(sample()).expect("it is BTF");
        assert_eq!(types.offset("pair", "a").ok(), Some(0));
        assert_eq!(types.offset("pair", "b").ok(), Some(4));
        assert_eq!(types.offset("outer", "b").ok(), Some(8));
        assert!(types.offset("pair", "c").is_err() && types.offset("int", "a").is_err());
    }

    #[test]
    fn no_file_makes_it_panic() {
        let whole = sample();
        for len in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[len] = byte;
                let types = [Types::parse(damaged), Types::parse(whole[..len].to_vec())];
                for types in types.into_iter().flatten() {
                    drop(types.offset("pair", "b"));
                }
            }
        }
    }
}
