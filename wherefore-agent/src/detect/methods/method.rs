//! The seven methods and their names.
//!
//! Owns the spelling of every method, and small sets of them. Refuses to know what a method computes: the
//! file with its name does.

use std::fmt;
use std::str::FromStr;

/// A method to judge a window. Words and meaning are those of the Go library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// How far the active mean is from the reference mean, relative to the latter. It is also a gate: if it
    /// is configured and below `sensitivity`, the result is 0.
    Magnitude,
    /// Whether the last relative changes are larger than chance explains.
    Diff,
    /// Whether the last points are higher than chance explains.
    HighRank,
    /// Whether the last points are lower than chance explains.
    LowRank,
    /// The position of the last absolute change among the earlier ones. It also alerts when nothing changes.
    Cdf,
    /// How close the active mean is to the bounds.
    Fence,
    /// Whether the active and the reference points have the same distribution (Kolmogorov-Smirnov).
    Ks,
}

impl Method {
    /// All methods, in the order in which scores list them.
    pub const ALL: [Self; 7] = [
        Self::Magnitude,
        Self::Diff,
        Self::HighRank,
        Self::LowRank,
        Self::Cdf,
        Self::Fence,
        Self::Ks,
    ];

    /// The name by which users know the method, such as `highrank`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Magnitude => "magnitude",
            Self::Diff => "diff",
            Self::HighRank => "highrank",
            Self::LowRank => "lowrank",
            Self::Cdf => "cdf",
            Self::Fence => "fence",
            Self::Ks => "ks",
        }
    }

    /// Whether it is one side of the rank test. Both sides count as one method in the weighted mean.
    pub(super) fn is_rank(self) -> bool {
        matches!(self, Self::HighRank | Self::LowRank)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is not the name of a method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown method '{0}': expected one of magnitude, diff, highrank, lowrank, cdf, fence and ks"
)]
pub struct ParseMethodError(String);

impl FromStr for Method {
    type Err = ParseMethodError;

    /// Reads a name in the spelling of [`Method::name`]: lower case, without surrounding space.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|method| method.name() == name);
        known.ok_or_else(|| ParseMethodError(name.to_owned()))
    }
}

/// A set of methods in one byte, so that a score can contain it without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MethodSet(u8);

impl MethodSet {
    pub(super) fn contains(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |&method| self.contains(method))
    }
}

impl FromIterator<Method> for MethodSet {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        Self(methods.into_iter().fold(0, |bits, method| bits | 1 << method as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_the_error_lists_every_name() {
        let error = "rank".parse::<Method>().expect_err("no such method").to_string();
        for method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert!(error.contains(method.name()), "{error}");
        }
        assert!("KS".parse::<Method>().is_err());
    }

    #[test]
    fn a_set_iterates_in_the_order_of_all_whatever_was_put_in() {
        let set: MethodSet = [Method::Ks, Method::Magnitude, Method::Ks].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Method::Magnitude, Method::Ks]);
        assert!(!set.contains(Method::Diff));
    }
}
