//! Removes line information from BTF, and the strings that only it uses. Owns the layout of `.BTF` and
//! `.BTF.ext`; refuses unknown kinds, because their names could not be renumbered.
//!
//! The layout is described in the kernel's Documentation/bpf/btf.rst; it is little-endian, like the object.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

const MAGIC: u32 = 0xeb9f;
/// The bytes of a type before the part that depends on its kind.
const TYPE: usize = 12;
/// The offsets of fields in both headers.
const HEADER_LEN: usize = 4;
const TYPES: usize = 8;
const STRINGS: usize = 16;
const FUNCTIONS: usize = 8;
const LINES: usize = 16;
const RELOCATIONS: usize = 24;

/// Both sections, reduced.
pub(super) struct Reduced {
    pub(super) types: Vec<u8>,
    pub(super) functions: Vec<u8>,
}

pub(super) fn reduce(btf: &[u8], ext: &[u8]) -> Result<Reduced> {
    let (types, strings) = (part(btf, TYPES)?, part(btf, STRINGS)?);
    let (functions, relocations) = (part(ext, FUNCTIONS)?, part(ext, RELOCATIONS)?);
    ensure!(relocations.len() <= 4, "CO-RE relocations, whose names would have to be kept");
    let mut kept = Strings { old: strings, new: vec![0], known: BTreeMap::new() };
    let mut types = types.to_vec();
    rename_types(&mut types, &mut kept)?;
    let mut functions = functions.to_vec();
    rename_sections(&mut functions, &mut kept)?;
    Ok(Reduced {
        types: with_types(btf, &types, &kept.new)?,
        functions: with_functions(ext, &functions)?,
    })
}

/// The strings that are referenced.
struct Strings<'s> {
    old: &'s [u8],
    new: Vec<u8>,
    known: BTreeMap<Vec<u8>, u32>,
}

impl Strings<'_> {
    /// Replaces the offset of a string at `at` by the new one.
    fn rename(&mut self, bytes: &mut [u8], at: usize) -> Result<()> {
        let from = number(bytes, at)? as usize;
        let tail = self.old.get(from..).context("a name beyond the strings")?;
        let name = tail.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let place = if name.is_empty() { 0 } else { self.place(name)? };
        set(bytes, at, place)
    }

    fn place(&mut self, name: Vec<u8>) -> Result<u32> {
        if let Some(place) = self.known.get(&name) {
            return Ok(*place);
        }
        let place = u32::try_from(self.new.len())?;
        self.new.extend(&name);
        self.new.push(0);
        self.known.insert(name, place);
        Ok(place)
    }
}

/// The data of a kind after its first 12 bytes: how many bytes there are once, how many for each member, and
/// whether each member starts with a name.
fn layout(kind: u32) -> Result<(usize, usize, bool)> {
    Ok(match kind {
        2 | 7..=12 | 16 | 18 => (0, 0, false), // pointer, forward, typedef, qualifiers, function
        1 | 14 | 17 => (4, 0, false),          // integer, variable, declaration tag
        3 => (12, 0, false),                   // array
        4 | 5 | 19 => (0, 12, true),           // structure, union, wide enumeration
        6 | 13 => (0, 8, true),                // enumeration, prototype
        15 => (0, 12, false),                  // section
        _ => bail!("BTF kind {kind} is not known"),
    })
}

fn rename_types(types: &mut [u8], strings: &mut Strings<'_>) -> Result<()> {
    let mut at = 0;
    while at < types.len() {
        strings.rename(types, at)?;
        let what = number(types, at + 4)?;
        let (once, each, is_named) = layout(what >> 24 & 0x1f)?;
        at += TYPE + once;
        for _ in 0..what & 0xffff {
            if is_named {
                strings.rename(types, at)?;
            }
            at += each;
        }
    }
    Ok(())
}

/// A record size; then, for each program section, its name, the number of records, and the records.
fn rename_sections(functions: &mut [u8], strings: &mut Strings<'_>) -> Result<()> {
    let record = number(functions, 0)? as usize;
    let mut at = 4;
    while at < functions.len() {
        strings.rename(functions, at)?;
        at += 8 + record * number(functions, at + 4)? as usize;
    }
    Ok(())
}

/// `.BTF` of the same header, with new types and strings.
fn with_types(btf: &[u8], types: &[u8], strings: &[u8]) -> Result<Vec<u8>> {
    let mut new = header(btf)?.to_vec();
    let (types_len, strings_len) = (u32::try_from(types.len())?, u32::try_from(strings.len())?);
    for (at, value) in [(0, 0), (4, types_len), (8, types_len), (12, strings_len)] {
        set(&mut new, TYPES + at, value)?;
    }
    new.extend(types);
    new.extend(strings);
    Ok(new)
}

/// `.BTF.ext` of the same header, with functions only.
fn with_functions(ext: &[u8], functions: &[u8]) -> Result<Vec<u8>> {
    let mut new = header(ext)?.to_vec();
    let len = u32::try_from(functions.len())?;
    set(&mut new, FUNCTIONS, 0)?;
    set(&mut new, FUNCTIONS + 4, len)?;
    for empty in [LINES, RELOCATIONS] {
        set(&mut new, empty, len)?;
        set(&mut new, empty + 4, 0)?;
    }
    new.extend(functions);
    Ok(new)
}

fn header(section: &[u8]) -> Result<&[u8]> {
    ensure!(number(section, 0)? & 0xffff == MAGIC, "not BTF, or not little endian");
    let len = number(section, HEADER_LEN)? as usize;
    section.get(..len).context("a section shorter than its header")
}

/// The part of a section whose offset and length are at `field` of its header.
fn part(section: &[u8], field: usize) -> Result<&[u8]> {
    let start = header(section)?.len() + number(section, field)? as usize;
    let end = start + number(section, field + 4)? as usize;
    section.get(start..end).context("a part beyond the end of its section")
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let word = bytes.get(at..at + 4).context("BTF ends early")?;
    Ok(u32::from_le_bytes(word.try_into()?))
}

fn set(bytes: &mut [u8], at: usize, value: u32) -> Result<()> {
    bytes.get_mut(at..at + 4).context("BTF ends early")?.copy_from_slice(&value.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn drops_lines_and_their_strings_only() -> Result<()> {
        let strings = b"\0line\0int\0xdp\0";
        // An integer (kind 1) named "int", of 4 bytes.
        let integer = [6, 1 << 24, 4, 32];
        let btf =
            [words(&[0x1_eb9f, 24, 0, 16, 16, 14]), words(&integer), strings.to_vec()].concat();
        let functions = [8, 10, 1, 0, 1];
        let lines = [16, 10, 1, 0, 1, 1, 1];
        let ext_header = [0x1_eb9f, 32, 0, 20, 20, 28, 48, 0];
        let ext = words(&[&ext_header[..], &functions, &lines].concat());
        let reduced = reduce(&btf, &ext)?;
        let expected =
            [words(&[0x1_eb9f, 24, 0, 16, 16, 9, 1, 1 << 24, 4, 32]), b"\0int\0xdp\0".to_vec()];
        assert_eq!(reduced.types, expected.concat());
        let expected = [0x1_eb9f, 32, 0, 20, 20, 0, 20, 0, 8, 5, 1, 0, 1];
        assert_eq!(reduced.functions, words(&expected));
        Ok(())
    }

    #[test]
    fn damage_is_an_error() {
        assert!(reduce(&[], &[]).is_err());
        assert!(reduce(&words(&[0x1_eb9f, 24, 0, 99, 0, 0]), &[]).is_err());
    }
}
