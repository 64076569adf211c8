//! The names that rows refer to by number. Owns how an owner is identified in the file, and the numbers of
//! names while a minute is collected.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::traffic::who::{Owner, Process};

/// An owner as the file stores it: by its names, because the system reuses process numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct OwnerName {
    pub(super) process: Option<Arc<str>>,
    pub(super) executable: Option<Arc<str>>,
    pub(super) user: Option<Arc<str>>,
    pub(super) unit: Option<Arc<str>>,
    /// The container's name, or otherwise the first digits of its id.
    pub(super) container: Option<Arc<str>>,
    pub(super) pod: Option<Arc<str>>,
    pub(super) namespace: Option<Arc<str>>,
    /// The reason why there is no owner.
    pub(super) unattributed: Option<Arc<str>>,
}

/// The number of digits of a container's id that are stored. Runtimes show as many.
const SHORT_ID: usize = 12;

impl OwnerName {
    pub(super) fn of(owner: &Owner) -> Self {
        match owner {
            Owner::Process(process) => Self::of_process(process),
            Owner::Unattributed(reason) => {
                Self { unattributed: Some(reason.name().into()), ..Self::default() }
            }
        }
    }

    fn of_process(process: &Process) -> Self {
        let container = process.container.as_ref().map(|container| {
            let short = || container.id.chars().take(SHORT_ID).collect::<String>().into();
            container.name.clone().unwrap_or_else(short)
        });
        let pod = process.pod.as_ref();
        Self {
            process: Some(process.name.clone()),
            executable: process.executable.clone(),
            user: process.user.clone().or_else(|| Some(process.uid.to_string().into())),
            unit: process.unit.clone(),
            container,
            pod: pod.map(|pod| pod.name.clone().unwrap_or_else(|| pod.uid.clone())),
            namespace: pod.and_then(|pod| pod.namespace.clone()),
            unattributed: None,
        }
    }
}

/// Numbers for names, from 1; 0 stands for folded values.
#[derive(Debug)]
pub(super) struct Numbers<T> {
    names: Vec<T>,
    numbers: FxHashMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { names: Vec::new(), numbers: FxHashMap::default() }
    }
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    pub(super) fn number(&mut self, name: &T) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.clone());
        let number = self.names.len() as u32;
        self.numbers.insert(name.clone(), number);
        number
    }

    /// The name with this number; `None` for folded values.
    pub(super) fn name(&self, number: u32) -> Option<&T> {
        self.names.get((number as usize).checked_sub(1)?)
    }
}
