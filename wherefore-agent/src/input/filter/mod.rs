//! The filter from the options: prefixes and an expression, as rules for the kernel, and the same rules on
//! the host. Owns the combined meaning of the options.

pub mod expression;

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use wherefore_common::filter::{FilterRule, Match};
use wherefore_common::select::Program;
use wherefore_common::{FlowKey, LinkType, Skip};

use crate::input::filter::expression::{Expression, Unsupported};
use crate::input::frame::CapturedFrame;
use crate::usage::UsageError;

/// Which packets are watched.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Prefixes; if empty, everything is watched.
    pub cidr: Vec<IpNet>,
    /// Whether traffic inside these prefixes is watched; otherwise the traffic outside is.
    pub inside: bool,
    /// Whether the source address decides. Without this and `destination`, either address does.
    pub source: bool,
    /// Whether the destination address decides.
    pub destination: bool,
    /// An expression in tcpdump's language that must also hold.
    pub expression: Option<String>,
    /// Prefixes to exclude. The longest prefix that contains an address decides.
    pub exclude: Vec<IpNet>,
}

/// Which packets are watched.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    rule: FilterRule,
    v4: PrefixMap<Ipv4Net, Match>,
    v6: PrefixMap<Ipv6Net, Match>,
    expression: Option<Expression>,
}

impl Filter {
    /// The filter of these settings. A prefix that is both included and excluded is excluded.
    ///
    /// # Errors
    /// If the expression is invalid.
    pub fn new(settings: &Settings) -> Result<Self, UsageError> {
        let text = settings.expression.as_deref().unwrap_or_default();
        let mut filter =
            Self { rule: rule(settings), expression: Expression::new(text)?, ..Self::default() };
        let listed = if settings.inside { Match::Include } else { Match::Exclude };
        settings.cidr.iter().for_each(|prefix| filter.insert(*prefix, listed));
        settings.exclude.iter().for_each(|prefix| filter.insert(*prefix, Match::Exclude));
        Ok(filter)
    }

    /// How matches of addresses are combined to a decision.
    pub fn rule(&self) -> FilterRule {
        self.rule
    }

    /// The expression's program for the kernel, if there is an expression.
    ///
    /// # Errors
    /// If the kernel cannot evaluate it, with the part that is not supported.
    pub fn program(&self) -> Result<Option<&Program>, &Unsupported> {
        self.expression.as_ref().map(Expression::program).transpose()
    }

    /// Checks whether the expression has a meaning for frames of this link type in files with this byte
    /// order.
    ///
    /// # Errors
    /// If it has none, with the reason.
    pub fn check(&self, link: LinkType, is_swapped: bool) -> Result<(), UsageError> {
        self.expression.as_ref().map_or(Ok(()), |expression| expression.check(link, is_swapped))
    }

    /// Every prefix with its rule.
    pub fn prefixes(&self) -> impl Iterator<Item = (IpNet, Match)> {
        let v4 = self.v4.iter().map(|(prefix, action)| (IpNet::V4(prefix), *action));
        v4.chain(self.v6.iter().map(|(prefix, action)| (IpNet::V6(prefix), *action)))
    }

    /// Whether a packet of this flow, in this frame, is watched.
    pub fn watches(&self, flow: &FlowKey, frame: &CapturedFrame<'_>) -> bool {
        let selects = |expression: &Expression| expression.selects(flow, frame);
        self.is_inside(flow) && self.expression.as_ref().is_none_or(selects)
    }

    /// Whether a frame without a usable IP header is watched.
    pub fn watches_skipped(&self, skip: Skip, frame: &CapturedFrame<'_>) -> bool {
        let by_frame = self.expression.as_ref().and_then(|expression| expression.decides(frame));
        match (skip, by_frame) {
            (_, Some(selects)) => selects && self.admits_others(),
            (Skip::NonIp, None) => self.watches_non_ip(),
            // Any field of the header may be wrong.
            (Skip::Malformed, None) => true,
        }
    }

    /// Whether frames that are not IP are watched if the kernel counts them: they have no addresses, ports
    /// or protocol.
    pub fn watches_non_ip(&self) -> bool {
        let selects = |expression: &Expression| expression.selects_non_ip();
        self.admits_others() && self.expression.as_ref().is_none_or(selects)
    }

    /// Whether the prefixes select frames without addresses.
    fn admits_others(&self) -> bool {
        self.rule.enabled == 0 || self.rule.watches(Match::None, Match::None)
    }

    /// Whether the prefixes select packets of this flow.
    pub fn is_inside(&self, flow: &FlowKey) -> bool {
        if self.rule.enabled == 0 {
            return true;
        }
        let source = self.matching(self.rule.by_source, || flow.src_ip());
        let destination = self.matching(self.rule.by_destination, || flow.dst_ip());
        self.rule.watches(source, destination)
    }

    fn insert(&mut self, prefix: IpNet, action: Match) {
        match prefix {
            IpNet::V4(v4) => self.v4.insert(v4, action),
            IpNet::V6(v6) => self.v6.insert(v6, action),
        };
    }

    fn matching(&self, counts: u8, address: impl Fn() -> IpAddr) -> Match {
        if counts == 0 {
            return Match::None;
        }
        let found = match address() {
            IpAddr::V4(v4) => self.v4.get_lpm(&Ipv4Net::from(v4)).map(|(_, action)| *action),
            IpAddr::V6(v6) => self.v6.get_lpm(&Ipv6Net::from(v6)).map(|(_, action)| *action),
        };
        found.unwrap_or(Match::None)
    }
}

fn rule(settings: &Settings) -> FilterRule {
    let is_either = settings.source == settings.destination;
    FilterRule {
        enabled: u8::from(!settings.cidr.is_empty() || !settings.exclude.is_empty()),
        by_source: u8::from(is_either || settings.source),
        by_destination: u8::from(is_either || settings.destination),
        needs_include: u8::from(settings.inside && !settings.cidr.is_empty()),
        ..FilterRule::default()
    }
}

#[cfg(test)]
mod tests {
    use wherefore_common::flow::address_words;

    use super::*;

    fn watches(args: &Settings, src: &str, dst: &str) -> bool {
        let (family, src) = address_words(src.parse().expect("an address"));
        let (_, dst) = address_words(dst.parse().expect("an address"));
        let filter = Filter::new(args).expect("it is sound");
        filter.is_inside(&FlowKey { src, dst, family, ..FlowKey::default() })
    }

    fn args(cidr: &[&str], exclude: &[&str]) -> Settings {
        let parse = |list: &[&str]| list.iter().map(|net| net.parse().expect("a net")).collect();
        Settings { cidr: parse(cidr), exclude: parse(exclude), inside: true, ..Default::default() }
    }

    #[test]
    fn either_address_counts_when_none_is_selected() {
        let inside = args(&["10.0.0.0/8"], &[]);
        assert!(
            watches(&inside, "10.1.1.1", "192.0.2.1") && watches(&inside, "192.0.2.1", "10.1.1.1")
        );
        assert!(!watches(&inside, "192.0.2.1", "192.0.2.2"));
        let outside = Settings { inside: false, ..inside };
        assert!(!watches(&outside, "10.1.1.1", "192.0.2.1"));
        assert!(watches(&outside, "192.0.2.1", "192.0.2.2"));
    }

    #[test]
    fn a_selected_address_decides_alone() {
        let source = Settings { source: true, ..args(&["10.0.0.0/8"], &[]) };
        assert!(
            watches(&source, "10.1.1.1", "192.0.2.1") && !watches(&source, "192.0.2.1", "10.1.1.1")
        );
        let all = Settings { source: true, ..args(&["0.0.0.0/0"], &[]) };
        assert!(watches(&all, "192.0.2.1", "10.1.1.1"));
    }

    #[test]
    fn the_longest_prefix_counts() {
        let hole = args(&["10.0.0.0/8"], &["10.1.0.0/16"]);
        assert!(
            watches(&hole, "10.2.0.1", "192.0.2.1") && !watches(&hole, "10.1.0.1", "192.0.2.1")
        );
        let island = args(&["10.1.0.0/16"], &["10.0.0.0/8"]);
        assert!(
            watches(&island, "10.1.0.1", "192.0.2.1") && !watches(&island, "10.2.0.1", "192.0.2.1")
        );
    }

    #[test]
    fn families_do_not_mix() {
        let v6 = args(&["2001:db8::/32"], &[]);
        assert!(watches(&v6, "2001:db8::1", "::1") && !watches(&v6, "10.0.0.1", "10.0.0.2"));
    }
}
