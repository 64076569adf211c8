//! The CIDR rule: which packets are watched. Owns the verdict; the search in the prefixes is the kernel's
//! (LPM tries) or the agent's.

/// The rule of the longest prefix that matches an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Match {
    /// No prefix holds the address.
    None = 0,
    /// The longest prefix includes it.
    Include = 1,
    /// The longest prefix excludes it.
    Exclude = 2,
}

impl Match {
    /// The match with this number in a trie; unknown numbers are no match.
    #[inline(always)]
    pub fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Include,
            2 => Self::Exclude,
            _ => Self::None,
        }
    }
}

/// How the matches of the two addresses give one verdict; in the kernel there is one for each set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FilterRule {
    /// 0: there are no prefixes, and no look-up is made.
    pub enabled: u8,
    /// 1: the source address is compared.
    pub by_source: u8,
    /// 1: the destination address is compared.
    pub by_destination: u8,
    /// 1: a packet must match an included prefix; 0: it is watched unless excluded.
    pub needs_include: u8,
    /// 1: the program of the set must accept the packet too.
    pub has_program: u8,
    /// Always 0.
    pub reserved: [u8; 3],
}

const _: () = assert!(size_of::<FilterRule>() == 8);

impl FilterRule {
    /// Whether a packet is watched: none of the compared addresses is excluded and, if there are
    /// included prefixes, one of them is included.
    #[inline(always)]
    pub fn watches(&self, source: Match, destination: Match) -> bool {
        if source == Match::Exclude || destination == Match::Exclude {
            return false;
        }
        self.needs_include == 0 || source == Match::Include || destination == Match::Include
    }
}
