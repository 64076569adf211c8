//! Names of groups that are not addresses: processes, units, names of peers. Owns the mapping between names
//! and keys of groups. A key contains a digest of the name, so that it is the same in every run, on every
//! host and in every file; the names themselves are stored here, for the whole program.
//!
//! Memory is bounded: the least recently used names are forgotten, but more names are kept than a live agent
//! has groups. A group whose name was forgotten is shown with its digest until its next traffic.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use wherefore_common::flow::AddressWords;

/// The number of names in one generation, of which two are kept. A live agent has as many groups.
const GENERATION: usize = 262_144;

static NAMES: LazyLock<Mutex<Names>> = LazyLock::new(|| Mutex::new(Names::new(GENERATION)));

/// The words in the key of a group with this name. Remembers the name.
pub fn key_of(name: &str) -> AddressWords {
    let words = digest(name);
    lock().remember(words, name);
    words
}

/// The name that these words of a key stand for.
pub fn name_of(words: AddressWords) -> String {
    let known = lock().find(words);
    known.map_or_else(|| format!("[forgotten {:016x}]", words[0]), |name| name.to_string())
}

/// All remembered names, for a later run, which calls [`key_of`] with each.
pub fn all() -> Vec<String> {
    let names = lock();
    let known = names.old.values().chain(names.new.values());
    let mut all: Vec<_> = known.map(ToString::to_string).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn lock() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Half a SHA-256, so that no two names have the same digest, by chance or by intent.
fn digest(name: &str) -> AddressWords {
    let digest = Sha256::digest(name);
    let word =
        |at: usize| digest[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    // Zeros stand for no name.
    [word(0) | 1, word(8)]
}

/// Names in two generations. A name that is not used during one generation is forgotten after the next.
struct Names {
    generation: usize,
    new: FxHashMap<AddressWords, Arc<str>>,
    old: FxHashMap<AddressWords, Arc<str>>,
}

impl Names {
    fn new(generation: usize) -> Self {
        let (new, old) = Default::default();
        Self { generation, new, old }
    }

    fn remember(&mut self, words: AddressWords, name: &str) {
        if self.find(words).is_none() {
            self.insert(words, name.into());
        }
    }

    fn find(&mut self, words: AddressWords) -> Option<Arc<str>> {
        if let Some(name) = self.new.get(&words) {
            return Some(name.clone());
        }
        let name = self.old.get(&words)?.clone();
        self.insert(words, name.clone());
        Some(name)
    }

    fn insert(&mut self, words: AddressWords, name: Arc<str>) {
        if self.new.len() >= self.generation {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(words, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_and_has_the_same_key_in_every_run() {
        let key = key_of("rsync");
        assert_eq!((key, name_of(key)), (key_of("rsync"), "rsync".to_owned()));
        assert_eq!(
            key,
            [0x8ff8_d40e_4a4c_726d, 0xf407_95e3_1344_32ac],
            "as in files of earlier runs"
        );
        assert_ne!(key_of("rsyncd"), key);
        assert!(all().contains(&"rsync".to_owned()));
        assert_eq!(name_of([9, 9]), "[forgotten 0000000000000009]");
    }

    #[test]
    fn names_that_are_used_stay_and_memory_is_bounded() {
        let mut names = Names::new(100);
        names.remember([1, 0], "often");
        for number in 2..1000 {
            names.remember([number, 0], "once");
            assert_eq!(names.find([1, 0]).as_deref(), Some("often"), "{number}");
            assert!(names.new.len() <= 100 && names.old.len() <= 100);
        }
        assert_eq!(names.find([2, 0]), None);
    }
}
