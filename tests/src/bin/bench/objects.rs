//! Other projects' kernel programs, to measure beside ours: compiled objects that
//! WHEREFORE_BENCH_PEERS names. Owns that list, how an object is loaded, and whether its program
//! counted its packets; refuses to ship or to build any, programs for other hooks than TC,
//! and maps that would outlive the bench.
//!
//! The program's constants stay as they were compiled. Of maps only the capacity is set, as agents
//! do: objects ask for millions of entries, which the kernel may allocate at once.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use aya::maps::{Map, MapData};
use aya::programs::Program;
use aya::{Btf, Ebpf, EbpfLoader, PinningType};
use aya_obj::Object;

use crate::bpf;

/// The environment variable that names them.
const VARIABLE: &str = "WHEREFORE_BENCH_PEERS";
const FORM: &str = "WHEREFORE_BENCH_PEERS=NAME=OBJECT[:PROGRAM][,NAME=OBJECT[:PROGRAM]…]";
/// The least capacity of a hash map; the same as our own agent's.
const CAPACITY: u32 = 1 << 16;
/// The kernel's numbers for hash maps: plain, per CPU, and both of those that forget the oldest.
const HASHES: [u32; 4] = [1, 5, 9, 10];

/// One that is named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    name: String,
    object: PathBuf,
    /// Needed if the object has several for TC.
    program: Option<String>,
}

/// Its program and maps in the kernel; they go with it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The name of its figures.
    pub(crate) name: String,
    ebpf: Ebpf,
    program: String,
}

/// All that are named.
pub(crate) fn named() -> Result<Vec<Peer>> {
    match std::env::var(VARIABLE) {
        Ok(list) => parse(&list),
        Err(std::env::VarError::NotPresent) => Ok(Vec::new()),
        Err(error) => Err(error).context(VARIABLE),
    }
}

/// How to name some, if none are named.
pub(crate) fn note() -> Option<String> {
    let none = std::env::var_os(VARIABLE).is_none_or(|list| list.is_empty());
    none.then(|| format!("no other project's program beside ours: {FORM} adds some, by TC"))
}

fn parse(list: &str) -> Result<Vec<Peer>> {
    list.split(',').filter(|word| !word.is_empty()).map(Peer::parse).collect()
}

impl Peer {
    fn parse(word: &str) -> Result<Self> {
        let parts =
            word.split_once('=').filter(|(name, object)| !(name.is_empty() || object.is_empty()));
        let (name, object) = parts.with_context(|| format!("{word:?} is not one of {FORM}"))?;
        let (object, program) = match object.rsplit_once(':') {
            Some((object, program)) => (object, Some(program.to_owned())),
            None => (object, None),
        };
        Ok(Self { name: format!("peer {name}"), object: object.into(), program })
    }

    /// Loads the program with maps of its own, for this many flows.
    pub(crate) fn load(&self, flows: u32) -> Result<Loaded> {
        self.try_load(flows).with_context(|| format!("{}: {}", self.name, self.object.display()))
    }

    fn try_load(&self, flows: u32) -> Result<Loaded> {
        let bytes = std::fs::read(&self.object)?;
        let object = Object::parse(&bytes)?;
        let capacity = flows.max(CAPACITY);
        let mut loader = EbpfLoader::new();
        for (name, map) in &object.maps {
            // One that outlives the bench would start the next round with the flows of this one.
            ensure!(map.pinning() == PinningType::None, "its map {name} would be pinned");
            if HASHES.contains(&map.map_type()) && map.max_entries() > capacity {
                loader.map_max_entries(name, capacity);
            }
        }
        let btf = Btf::from_sys_fs().ok();
        let mut ebpf = loader.btf(btf.as_ref()).load(&bytes)?;
        let program = choose(&ebpf, self.program.as_deref())?;
        let Some(Program::SchedClassifier(classifier)) = ebpf.program_mut(&program) else {
            bail!("{program} is not a program for TC")
        };
        classifier.load().with_context(|| format!("the kernel refuses {program}"))?;
        Ok(Loaded { name: self.name.clone(), ebpf, program })
    }
}

/// The name of the one program for TC, or of the one that is asked for.
fn choose(ebpf: &Ebpf, asked: Option<&str>) -> Result<String> {
    let is_for_tc = |program: &Program| matches!(program, Program::SchedClassifier(_));
    let for_tc = ebpf.programs().filter(|(_, program)| is_for_tc(program));
    let mut names: Vec<&str> = for_tc.map(|(name, _)| name).collect();
    names.sort_unstable();
    let all = names.join(", ");
    names.retain(|name| asked.is_none_or(|asked| asked == *name));
    match (&names[..], asked) {
        ([one], _) => Ok((*one).to_owned()),
        ([], None) => bail!("no program for TC"),
        ([], Some(asked)) => bail!("no program {asked} for TC; there are {all}"),
        _ => bail!("which of its programs for TC: {all}?"),
    }
}

impl Loaded {
    /// The program.
    pub(crate) fn program(&self) -> Result<BorrowedFd<'_>> {
        let program = self.ebpf.program(&self.program).context("the program is gone")?;
        Ok(program.fd()?.as_fd())
    }

    /// An error unless some number in the entries of one of its hash maps sums up to this many
    /// packets, within one percent: a program that does not count must not be compared. (Some
    /// send a flow's first packet elsewhere while the map has no memory for it.)
    pub(crate) fn check(&self, packets: u64) -> Result<()> {
        let mut counted = 0;
        for (_, map) in self.ebpf.maps() {
            let (Map::HashMap(map)
            | Map::PerCpuHashMap(map)
            | Map::LruHashMap(map)
            | Map::PerCpuLruHashMap(map)) = map
            else {
                continue;
            };
            let possible = sums(map)?.into_iter().filter(|sum| *sum <= packets);
            counted = counted.max(possible.max().unwrap_or(0));
        }
        let name = &self.name;
        ensure!(counted >= packets / 100 * 99, "{name}: of {packets} packets {counted} counted");
        Ok(())
    }
}

/// The sum of every 32-bit word of a map's values over all entries and processors. (For larger
/// numbers it is the lower half; none gets so large here.)
fn sums(map: &MapData) -> Result<Vec<u64>> {
    let info = map.info()?;
    let per_cpu = matches!(
        info.map_type()?,
        aya::maps::MapType::PerCpuHash | aya::maps::MapType::LruPerCpuHash
    );
    // Each processor's value begins at a multiple of eight bytes.
    let stride = info.value_size().next_multiple_of(8) as usize;
    let copies = if per_cpu { aya::util::nr_cpus().map_err(|(_, error)| error)? } else { 1 };
    let mut sums = vec![0; stride / 4];
    bpf::for_each(map.fd().as_fd(), info.key_size() as usize, stride * copies, |value| {
        for copy in value.chunks_exact(stride) {
            for (sum, word) in sums.iter_mut().zip(copy.as_chunks().0) {
                *sum += u64::from(u32::from_ne_bytes(*word));
            }
        }
    })?;
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_named_with_or_without_a_program() -> Result<()> {
        let peer = |name: &str, object: &str, program: Option<&str>| Peer {
            name: name.to_owned(),
            object: object.into(),
            program: program.map(str::to_owned),
        };
        let list = parse("a=some/a.o:count,b=b.o")?;
        assert_eq!(list, [peer("peer a", "some/a.o", Some("count")), peer("peer b", "b.o", None)]);
        assert_eq!(parse("")?, []);
        assert!(parse("a.o").is_err());
        assert!(parse("=a.o").is_err());
        Ok(())
    }
}
