//! The filter in the kernel: two sets of prefixes, rule and program, of which one is active. Owns the switch
//! between them; no packet ever sees a mixture.

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::maps::lpm_trie::Key;
use aya::maps::{Array, LpmTrie, MapData, MapError};
use ipnet::IpNet;
use wherefore_common::Reason;
use wherefore_common::abi::{FILTER_CAPACITY, FILTER_SETS, TrieV4, TrieV6, map};
use wherefore_common::filter::FilterRule;
use wherefore_common::flow::address_words;
use wherefore_common::select::Program;

use super::control::Control;
use super::maps::{pod, take};
use crate::input::filter::Filter;
use crate::usage::UsageError;

/// The maps, and their content.
pub(super) struct Filters {
    rules: Array<MapData, PodRule>,
    programs: Array<MapData, PodProgram>,
    v4: LpmTrie<MapData, TrieV4, u32>,
    v6: LpmTrie<MapData, TrieV6, u32>,
    /// The active set, 0 before the first filter.
    in_force: u32,
    /// Whether the active filter excludes frames that are not IP, which the programs do not ask.
    excludes_non_ip: bool,
    /// The prefixes of the active set.
    prefixes: Vec<IpNet>,
}

impl Filters {
    /// Takes the maps. No filter is active.
    pub(super) fn new(ebpf: &mut Ebpf) -> Result<Self> {
        Ok(Self {
            rules: take(ebpf, map::FILTER_RULES)?,
            programs: take(ebpf, map::FILTER_PROGRAMS)?,
            v4: take(ebpf, map::FILTER_V4)?,
            v6: take(ebpf, map::FILTER_V6)?,
            in_force: 0,
            excludes_non_ip: false,
            prefixes: Vec::new(),
        })
    }

    /// The reason to report for frames that the programs counted with this reason.
    pub(super) fn reason(&self, counted: Reason) -> Reason {
        match counted {
            Reason::NonIp if self.excludes_non_ip => Reason::FilteredNonIp,
            counted => counted,
        }
    }

    /// Writes the filter to the inactive set, activates it, waits with `settle` until no program uses the old
    /// set any more, and empties the old set.
    ///
    /// # Errors
    /// If the kernel refuses it or has no space; the old one then stays active.
    pub(super) fn replace(
        &mut self,
        filter: &Filter,
        control: &mut Control,
        settle: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let program =
            filter.program().map_err(|unsupported| beyond_the_kernel(&unsupported.to_string()))?;
        let next = self.in_force % FILTER_SETS + 1;
        let prefixes: Vec<IpNet> = filter.prefixes().map(|(prefix, _)| prefix).collect();
        if let Err(error) = self.write(next, filter, program) {
            self.clear(next, &prefixes);
            return Err(error);
        }
        // Without a filter, programs need no look-up.
        let asks = filter.rule().enabled != 0 || program.is_some();
        control.use_filter(if asks { next } else { 0 }).context("cannot activate the filter")?;
        self.excludes_non_ip = !filter.watches_non_ip();
        let old = std::mem::replace(&mut self.in_force, next);
        let old_prefixes = std::mem::replace(&mut self.prefixes, prefixes);
        settle()?;
        self.clear(old, &old_prefixes);
        Ok(())
    }

    fn write(&mut self, set: u32, filter: &Filter, program: Option<&Program>) -> Result<()> {
        self.insert_all(set, filter)?;
        let rule = FilterRule { has_program: u8::from(program.is_some()), ..filter.rule() };
        if let Some(program) = program {
            self.programs.set(set, PodProgram(*program), 0).context("cannot set the program")?;
        }
        self.rules.set(set, PodRule(rule), 0).context("cannot set the filter's rule")
    }

    fn insert_all(&mut self, set: u32, filter: &Filter) -> Result<()> {
        filter.prefixes().try_for_each(|(prefix, action)| {
            self.insert(set, prefix, action as u32).with_context(|| {
                format!("cannot add {prefix} to the filter (it holds {FILTER_CAPACITY} prefixes)")
            })
        })
    }

    fn insert(&mut self, set: u32, prefix: IpNet, action: u32) -> Result<(), MapError> {
        match prefix {
            IpNet::V4(_) => self.v4.insert(&key_v4(set, prefix), action, 0),
            IpNet::V6(_) => self.v6.insert(&key_v6(set, prefix), action, 0),
        }
    }

    /// Removes prefixes from a set; ignores missing ones.
    fn clear(&mut self, set: u32, prefixes: &[IpNet]) {
        for prefix in prefixes {
            let _ = match prefix {
                IpNet::V4(_) => self.v4.remove(&key_v4(set, *prefix)),
                IpNet::V6(_) => self.v6.remove(&key_v6(set, *prefix)),
            };
        }
    }
}

/// Why an expression is refused, and what to try.
pub(super) fn beyond_the_kernel(part: &str) -> UsageError {
    UsageError(format!(
        "the kernel cannot evaluate a part of the filter expression: {part}; use --daq libpcap"
    ))
}

fn key_v4(set: u32, prefix: IpNet) -> Key<TrieV4> {
    let (_, words) = address_words(prefix.network());
    Key::new(32 + u32::from(prefix.prefix_len()), [set, words[0] as u32])
}

fn key_v6(set: u32, prefix: IpNet) -> Key<TrieV6> {
    let (_, words) = address_words(prefix.network());
    Key::new(64 + u32::from(prefix.prefix_len()), [u64::from(set), words[0], words[1]])
}

pod!(PodRule, FilterRule);
pod!(PodProgram, Program);
