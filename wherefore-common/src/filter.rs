//! The CIDR rule: which packets are watched. Owns the decision; the search for prefixes is done by the kernel
//! (LPM tries) or by the agent.

/// The result of the longest prefix that contains an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Match {
    /// No prefix contains the address.
    None = 0,
    /// The longest prefix includes the address.
    Include = 1,
    /// The longest prefix excludes the address.
    Exclude = 2,
}

impl Match {
    /// The match with this number in a trie; unknown numbers mean that no prefix matches.
    #[inline(always)]
    pub fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Include,
            2 => Self::Exclude,
            _ => Self::None,
        }
    }
}

/// How the matches of both addresses are combined to a decision; the kernel has one rule for each set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FilterRule {
    /// 0: there are no prefixes, so nothing is looked up.
    pub enabled: u8,
    /// 1: the source address is compared.
    pub by_source: u8,
    /// 1: the destination address is compared.
    pub by_destination: u8,
    /// 1: a packet must match an included prefix; 0: it is watched unless it is excluded.
    pub needs_include: u8,
    /// 1: the program of the set must also accept the packet.
    pub has_program: u8,
    /// Always 0.
    pub reserved: [u8; 3],
}

const _: () = assert!(size_of::<FilterRule>() == 8);

impl FilterRule {
    /// Whether a packet is watched: none of the compared addresses is excluded and, if there are included
    /// prefixes, at least one of them is included.
    ///
    /// # Example
    /// ```
    /// use wherefore_common::filter::{FilterRule, Match};
    ///
    /// let rule = FilterRule { enabled: 1, needs_include: 1, ..FilterRule::default() };
    /// assert!(rule.watches(Match::Include, Match::None));
    /// assert!(!rule.watches(Match::None, Match::None));
    /// // An excluded address outweighs an included one.
    /// assert!(!rule.watches(Match::Include, Match::Exclude));
    /// ```
    #[inline(always)]
    pub fn watches(&self, source: Match, destination: Match) -> bool {
        if source == Match::Exclude || destination == Match::Exclude {
            return false;
        }
        self.needs_include == 0 || source == Match::Include || destination == Match::Include
    }
}
