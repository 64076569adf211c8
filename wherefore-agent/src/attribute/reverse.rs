//! Asks the system for names (reverse DNS), if the user enables it. Owns the threads that ask and a bounded
//! cache of the answers: callers get the name that is known at the moment and never wait.

use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustc_hash::FxHashMap;

use super::names::sound::sound;

/// Threads that ask.
const THREADS: usize = 4;
/// The most questions that wait. Others are asked when the address is seen again.
const MOST_WAITING: usize = 1024;
/// The most addresses that are remembered, with or without a name.
const MOST_KNOWN: usize = 32_768;
/// How long a name is remembered, and how long its absence is.
const LIVES: [Duration; 2] = [Duration::from_secs(3600), Duration::from_secs(600)];

/// Asks the system for names.
#[derive(Debug)]
pub(super) struct Reverse {
    cache: Arc<Mutex<NameCache>>,
    questions: SyncSender<IpAddr>,
}

type NameCache = FxHashMap<IpAddr, Entry>;

/// A remembered address. It has no name while the question is open, or if the system knows none.
#[derive(Debug)]
struct Entry {
    name: Option<Arc<str>>,
    end: Instant,
}

impl Reverse {
    pub(super) fn start() -> Result<Self> {
        Self::asking(ask)
    }

    fn asking(ask: fn(IpAddr) -> Option<String>) -> Result<Self> {
        let (questions, waiting) = sync_channel(MOST_WAITING);
        let (cache, waiting) = (Arc::<Mutex<NameCache>>::default(), Arc::new(Mutex::new(waiting)));
        for _ in 0..THREADS {
            let (cache, waiting) = (cache.clone(), waiting.clone());
            let work = move || work(&cache, &waiting, ask);
            let thread = thread::Builder::new().name("names".to_owned()).spawn(work);
            thread.context("cannot start a thread that asks for names")?;
        }
        Ok(Self { cache, questions })
    }

    /// The name of an address, if it is known. Otherwise the question is queued.
    pub(super) fn name(&self, address: IpAddr) -> Option<Arc<str>> {
        let address = address.to_canonical();
        let (mut cache, now) = (lock(&self.cache), Instant::now());
        if let Some(entry) = cache.get(&address).filter(|entry| entry.end > now) {
            return entry.name.clone();
        }
        let before = cache.remove(&address).and_then(|entry| entry.name);
        if cache.len() >= MOST_KNOWN {
            cache.retain(|_, entry| entry.end > now);
        }
        if cache.len() < MOST_KNOWN && self.questions.try_send(address).is_ok() {
            cache.insert(address, Entry { name: before.clone(), end: now + LIVES[1] });
        }
        before
    }
}

/// Answers questions until the queue is dropped.
fn work(
    cache: &Mutex<NameCache>,
    waiting: &Mutex<Receiver<IpAddr>>,
    ask: fn(IpAddr) -> Option<String>,
) {
    loop {
        let question = lock(waiting).recv();
        let Ok(address) = question else { return };
        let name: Option<Arc<str>> = ask(address).map(Into::into);
        let end = Instant::now() + if name.is_some() { LIVES[0] } else { LIVES[1] };
        lock(cache).insert(address, Entry { name, end });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change of the value is a single call, so it is consistent even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The system's answer, which may take any time. If an address has no name, the answer is the address itself.
pub fn ask(address: IpAddr) -> Option<String> {
    let (name, _) = dns_lookup::getnameinfo(&SocketAddr::new(address, 0), 0).ok()?;
    sound(&name).filter(|name| name.parse::<IpAddr>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_arrives_later_is_kept() {
        let reverse = Reverse::asking(|address| Some(format!("host-{address}"))).unwrap();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(reverse.name(address), None);
        let started = Instant::now();
        let name = loop {
            match reverse.name(address) {
                Some(name) => break name,
                None if started.elapsed() > Duration::from_secs(60) => panic!("no name came"),
                None => thread::yield_now(),
            }
        };
        assert_eq!(&*name, "host-192.0.2.1");
    }

    #[test]
    fn a_lookup_without_an_answer_delays_nothing() {
        let reverse = Reverse::asking(|_| {
            thread::park();
            None
        });
        let reverse = reverse.unwrap();
        for number in 0..100_000_u32 {
            assert_eq!(reverse.name(IpAddr::V4(number.into())), None);
        }
        assert!(lock(&reverse.cache).len() <= MOST_WAITING + THREADS);
    }
}
