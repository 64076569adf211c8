//! The names of users. Owns the reading of `/etc/passwd`; refuses to ask network directories, which may be
//! slow and would cause traffic.

use std::fs;
use std::sync::Arc;
use std::time::SystemTime;

use rustc_hash::FxHashMap;

const FILE: &str = "/etc/passwd";

/// Names of users by number.
#[derive(Debug, Default)]
pub(super) struct Users {
    names: FxHashMap<u32, Arc<str>>,
    read: Option<SystemTime>,
}

impl Users {
    /// Reads the files again if they have changed.
    pub(super) fn refresh(&mut self) {
        let changed = fs::metadata(FILE).and_then(|metadata| metadata.modified()).ok();
        if changed.is_some() && changed != self.read {
            self.names = fs::read(FILE).map(|text| names(&text)).unwrap_or_default();
            self.read = changed;
        }
    }

    /// A user's name.
    pub(super) fn name(&self, uid: u32) -> Option<Arc<str>> {
        self.names.get(&uid).cloned()
    }
}

/// The names by number. If two users have the same number, the first one is used.
fn names(text: &[u8]) -> FxHashMap<u32, Arc<str>> {
    let mut names = FxHashMap::default();
    for line in String::from_utf8_lossy(text).lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1)) else { continue };
        if let Ok(uid) = uid.parse() {
            names.entry(uid).or_insert_with(|| name.into());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_number_counts() {
        let names = names(b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n# x\nweb:x:33:33\n");
        assert_eq!(names.get(&0).map(|name| &**name), Some("root"));
        assert_eq!(names.get(&33).map(|name| &**name), Some("web"));
        assert_eq!(names.len(), 2);
    }
}
