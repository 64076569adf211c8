//! The selected interfaces: names, patterns, all. Owns the meaning of `-i`; refuses to know which
//! interfaces exist.

use super::interfaces::Interface;

/// The most interfaces; their counters of uncounted frames fill the kernel's map.
pub const MAX_INTERFACES: usize = wherefore_common::abi::REMAINDER_CAPACITY as usize
    / (2 * wherefore_common::Reason::IN_KERNEL.len());

/// The word for all.
const ANY: &str = "any";

/// The selected interfaces, whether they exist or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    wanted: Vec<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Any,
    Name(String),
    Pattern(String),
    /// The interface that the default route leads to, which has this number now.
    DefaultRoute(u32),
}

impl Selection {
    /// The meaning of these names: `any` and patterns with `*` and `?` are all that match, now or
    /// later; others are interfaces by name.
    pub fn new(names: &[String]) -> Self {
        let wanted = |name: &String| match name.as_str() {
            ANY => Wanted::Any,
            pattern if pattern.contains(['*', '?']) => Wanted::Pattern(name.clone()),
            _ => Wanted::Name(name.clone()),
        };
        Self { wanted: names.iter().map(wanted).collect() }
    }

    /// The interface that the default route leads to, which has this number now.
    pub fn default_route_by(index: u32) -> Self {
        Self { wanted: vec![Wanted::DefaultRoute(index)] }
    }

    /// The number of the interface of the default route at the last look, if
    /// the default route is selected.
    pub fn default_route(&self) -> Option<u32> {
        match self.wanted[..] {
            [Wanted::DefaultRoute(index)] => Some(index),
            _ => None,
        }
    }

    /// The names that must be there at the start.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Name(name) => Some(name.as_str()),
            Wanted::Any | Wanted::Pattern(_) | Wanted::DefaultRoute(_) => None,
        })
    }

    /// Whether interfaces are selected that need not exist yet.
    pub fn is_open(&self) -> bool {
        self.wanted.iter().any(|wanted| !matches!(wanted, Wanted::Name(_)))
    }

    /// The most interfaces there may be.
    pub fn most(&self) -> usize {
        // The one of the default route may change, and an old one stays to the end of its interval.
        const FEWEST: usize = 64;
        let is_many = |wanted: &Wanted| matches!(wanted, Wanted::Any | Wanted::Pattern(_));
        if self.wanted.iter().any(is_many) {
            return MAX_INTERFACES;
        }
        self.wanted.len().clamp(FEWEST, MAX_INTERFACES)
    }

    /// Whether this one is selected by one of its own names.
    pub fn names_it(&self, interface: &Interface) -> bool {
        self.names().any(|name| interface.names().any(|known| known == name))
    }

    /// Whether this one is selected. `any` selects those whose frames can be read.
    pub fn matches(&self, interface: &Interface) -> bool {
        self.wanted.iter().any(|wanted| match wanted {
            Wanted::Any => interface.framing.is_some(),
            Wanted::DefaultRoute(index) => *index == interface.index,
            Wanted::Name(wanted) => interface.names().any(|name| name == wanted),
            Wanted::Pattern(pattern) => {
                interface.names().any(|name| fits(pattern.as_bytes(), name.as_bytes()))
            }
        })
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.wanted.iter().map(|wanted| match wanted {
            Wanted::Any => ANY,
            Wanted::DefaultRoute(_) => "the default route",
            Wanted::Name(text) | Wanted::Pattern(text) => text,
        });
        formatter.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}

/// Whether a name fits a pattern of `*` and `?`; in as many steps as both lengths multiplied.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(octet) if *octet == b'?' || *octet == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                // The last star takes one more.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, in_name) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_file_names() {
        for (pattern, name, does) in [
            ("veth*", "veth", true),
            ("veth*", "veth12", true),
            ("veth*", "eth12", false),
            ("*0", "eth0", true),
            ("*0", "eth01", false),
            ("e*h?", "eth0", true),
            ("e*h?", "eh-h", false),
            ("?", "", false),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axbxbx", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), does, "{pattern} {name}");
        }
    }
}
