//! Which flows are watched: the prefixes and the program of the active set. Owns the look-ups;
//! wherefore-common owns their meaning.

use aya_ebpf::btf_maps::lpm_trie::Key;
use wherefore_common::FlowKey;
use wherefore_common::filter::Match;
use wherefore_common::flow::AddressWords;
use wherefore_common::select;

use crate::maps::{FILTER_PROGRAMS, FILTER_RULES, FILTER_V4, FILTER_V6};
use crate::packet::scratch;

/// Whether the filter of this set (0 for none) selects the flow.
#[inline(always)]
pub(crate) fn watches(set: u32, key: &FlowKey) -> bool {
    if set == 0 {
        return true;
    }
    // SAFETY: it is written and let go; `key` lies on the stack.
    let Some(scratch) = (unsafe { scratch() }) else { return true };
    scratch.key = *key;
    is_watched_by(set) != 0
}

/// Filters the key in the scratch memory. A global function of one number: such functions are verified once,
/// on their own, and not again for each state in which they are called (Linux 5.6). Otherwise the verifier
/// would spend nearly all of its time here. It also keeps its stack and instructions out of runs without a
/// filter.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn is_watched_by(set: u32) -> u32 {
    // SAFETY: it is let go with the copy.
    let Some(key) = (unsafe { scratch() }).map(|scratch| scratch.key) else { return 1 };
    let key = &key;
    let Some(rule) = FILTER_RULES.get(set) else { return 1 };
    if rule.enabled != 0 {
        let longest = |counts: u8, address| match counts {
            0 => Match::None,
            _ => longest(set, key.family, address),
        };
        let source = longest(rule.by_source, key.src);
        let destination = longest(rule.by_destination, key.dst);
        if !rule.watches(source, destination) {
            return 0;
        }
    }
    u32::from(rule.has_program == 0 || is_selected(set, key))
}

/// The rule of the longest prefix that contains `address`.
#[inline(always)]
fn longest(set: u32, family: u8, address: AddressWords) -> Match {
    // SAFETY: the caller holds a copy of the key alone, and the look-up does not come here.
    let Some(scratch) = (unsafe { scratch() }) else { return Match::None };
    let found = if family == 4 {
        scratch.prefix_v4 = Key::new(64, [set, address[0] as u32]);
        FILTER_V4.get(&scratch.prefix_v4)
    } else {
        scratch.prefix_v6 = Key::new(192, [u64::from(set), address[0], address[1]]);
        FILTER_V6.get(&scratch.prefix_v6)
    };
    found.map_or(Match::None, |number| Match::from_u8(*number as u8))
}

/// The result of the set's program. Tests select their field by number: verifiers before Linux 5.12 allow
/// this for a map, but not for the stack.
#[inline(always)]
fn is_selected(set: u32, key: &FlowKey) -> bool {
    // SAFETY: the caller holds a copy of the key alone, and programs do not come here.
    let Some(scratch) = (unsafe { scratch() }) else { return true };
    let Some(program) = FILTER_PROGRAMS.get(set) else { return true };
    scratch.fields = select::fields(key);
    program.accepts(&scratch.fields)
}
