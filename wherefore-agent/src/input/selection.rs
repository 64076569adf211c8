//! The selected interfaces: by name, by pattern, or all. Owns the meaning of `-i`; refuses to know which
//! interfaces exist.

use super::interfaces::Interface;

/// The most interfaces. Their counters of uncounted frames then fill the kernel's map.
pub const MAX_INTERFACES: usize = wherefore_common::abi::REMAINDER_CAPACITY as usize
    / (2 * wherefore_common::Reason::IN_KERNEL.len());

/// The word that selects all interfaces.
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
    /// The interface of the default route; this is its current number.
    DefaultRoute(u32),
}

impl Selection {
    /// Interprets these names: `any` and patterns with `*` and `?` select all interfaces that match, now or
    /// later; other names are interfaces.
    pub fn new(names: &[String]) -> Self {
        let wanted = |name: &String| match name.as_str() {
            ANY => Wanted::Any,
            pattern if pattern.contains(['*', '?']) => Wanted::Pattern(name.clone()),
            _ => Wanted::Name(name.clone()),
        };
        Self { wanted: names.iter().map(wanted).collect() }
    }

    /// The interface of the default route; this is its current number.
    pub fn default_route_by(index: u32) -> Self {
        Self { wanted: vec![Wanted::DefaultRoute(index)] }
    }

    /// If the default route is selected: the number of its interface when it was last looked up.
    pub fn default_route(&self) -> Option<u32> {
        match self.wanted[..] {
            [Wanted::DefaultRoute(index)] => Some(index),
            _ => None,
        }
    }

    /// The names that must exist at the start.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Name(name) => Some(name.as_str()),
            Wanted::Any | Wanted::Pattern(_) | Wanted::DefaultRoute(_) => None,
        })
    }

    /// Whether the selection includes interfaces that need not exist yet.
    pub fn is_open(&self) -> bool {
        self.wanted.iter().any(|wanted| !matches!(wanted, Wanted::Name(_)))
    }

    /// The most interfaces that can be selected at the same time.
    pub fn most(&self) -> usize {
        // The interface of the default route may change, and the old one stays until the end of its interval.
        const FEWEST: usize = 64;
        let is_many = |wanted: &Wanted| matches!(wanted, Wanted::Any | Wanted::Pattern(_));
        if self.wanted.iter().any(is_many) {
            return MAX_INTERFACES;
        }
        self.wanted.len().clamp(FEWEST, MAX_INTERFACES)
    }

    /// Whether this interface is selected by one of its own names.
    pub fn names_it(&self, interface: &Interface) -> bool {
        self.names().any(|name| interface.names().any(|known| known == name))
    }

    /// Whether this interface is selected. `any` selects those whose frames can be parsed.
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

/// Whether a name matches a pattern of `*` and `?`. Takes at most as many steps as both lengths multiplied.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                // Let the last star match one character more.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, in_name) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
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
