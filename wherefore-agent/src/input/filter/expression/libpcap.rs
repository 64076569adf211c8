//! Expressions that only libpcap can evaluate. Its compiler makes a program in classic BPF for each link
//! type. The programs run here, because the crate would treat a truncated packet as a short one. Owns this
//! machine; refuses anything but filters.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pcap::{Capture, Offline};
use wherefore_common::LinkType;

use crate::input::frame::CapturedFrame;
use crate::usage::UsageError;

/// The number of words of memory of the machine.
const MEMORY: usize = 16;
/// BSD loopback, whose header has the byte order of the capturing host.
const LOOPBACK: u16 = 0;

/// The link type, and whether the file's byte order differs from this host's, if that matters.
type Place = (u16, bool);
type Attempt = Result<Arc<Machine>, String>;

/// An expression with its compiled programs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    text: String,
    /// The programs by link type, or libpcap's error if it cannot compile one.
    programs: Arc<RwLock<BTreeMap<Place, Attempt>>>,
    /// The link types about which a warning was logged.
    warned: Arc<Mutex<BTreeSet<u16>>>,
}

impl Compiled {
    /// Compiles the expression for Ethernet, or otherwise for the first link type for which it has a meaning.
    /// This shows whether it is valid.
    pub(super) fn new(text: &str) -> Result<Self, UsageError> {
        /// Link types of 802.11 without and with radio information, with directions, with interface numbers,
        /// with address families, and with neither.
        const OTHERS: [u16; 7] = [105, 127, 113, 276, 0, 9, 101];
        let compiled =
            Self { text: text.to_owned(), programs: Arc::default(), warned: Arc::default() };
        let Err(words) = compiled.program(LinkType::ETHERNET, false) else { return Ok(compiled) };
        // One attempt to look up a name is enough, and a syntax error is one for all link types.
        let is_sound = !words.contains("syntax error") && !words.contains("unknown ");
        let finds = |link: u16| compiled.program(LinkType(link), false).is_ok();
        if is_sound && OTHERS.into_iter().any(finds) {
            return Ok(compiled);
        }
        Err(UsageError(format!("the filter expression {text:?} cannot be used: {words}")))
    }

    /// Whether libpcap's program selects the frame. If the expression has no meaning, no frame is selected.
    pub(super) fn selects(&self, frame: &CapturedFrame<'_>) -> bool {
        match self.program(frame.link, frame.is_swapped) {
            Ok(machine) => machine.run(frame.bytes, frame.wire_len),
            Err(words) => {
                self.warn(frame.link, &words);
                false
            }
        }
    }

    fn warn(&self, link: LinkType, words: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(link.0) {
            let link = link.0;
            tracing::warn!(
                link,
                error = words,
                "the filter has no meaning for this link type: it selects no packets of it"
            );
        }
    }

    /// Whether the expression has a meaning for frames of this link type.
    pub(super) fn check(&self, link: LinkType, is_swapped: bool) -> Result<(), UsageError> {
        let refused = |words| {
            let text = &self.text;
            let link = link.0;
            UsageError(format!(
                "the filter expression {text:?} cannot be used for frames of link type {link}: \
                 {words}"
            ))
        };
        self.program(link, is_swapped).map(drop).map_err(refused)
    }

    fn program(&self, link: LinkType, is_swapped: bool) -> Attempt {
        let place = place(link, is_swapped);
        let known =
            self.programs.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        known.unwrap_or_else(|| {
            let compiled = compile(&self.text, place).map(Arc::new);
            let mut programs = self.programs.write().unwrap_or_else(PoisonError::into_inner);
            programs.entry(place).or_insert(compiled).clone()
        })
    }
}

/// The byte order matters only for BSD loopback, and compiling may take long.
fn place(link: LinkType, is_swapped: bool) -> Place {
    (link.0, is_swapped && link.0 == LOOPBACK)
}

/// A program in classic BPF.
#[derive(Debug)]
struct Machine {
    instructions: Vec<Instruction>,
}

#[derive(Debug, Clone, Copy)]
struct Instruction {
    code: u16,
    then: u8,
    otherwise: u8,
    k: u32,
}

/// Compiles as for a capture file. Then the address families of other systems are included, and nothing is
/// tested that only a kernel knows about a packet.
fn compile(text: &str, place: Place) -> Result<Machine, String> {
    let file = savefile(place).map_err(|error| format!("libpcap's compiler: {error:#}"))?;
    let program = file.compile(text, true).map_err(|error| match error {
        pcap::Error::PcapError(words) => words,
        other => other.to_string(),
    })?;
    // The crate offers an instruction only as text with its four numbers.
    let shown =
        program.get_instructions().iter().map(|instruction| parse(&instruction.to_string()));
    let shown = shown.collect::<Option<Vec<Instruction>>>();
    let machine = Machine { instructions: shown.ok_or("libpcap's program is not readable")? };
    // For `pppoes` and `geneve` on 802.11, libpcap 1.10 makes a program that reads uninitialised memory.
    if machine.reads_unwritten_memory() {
        return Err("libpcap's program for it reads memory that it never writes".to_owned());
    }
    Ok(machine)
}

/// A capture file with this link type and byte order and without packets, for libpcap. It opens files only by
/// name, so a pipe with a file header is used.
fn savefile(place: Place) -> anyhow::Result<Capture<Offline>> {
    let (reader, mut writer) = std::io::pipe()?;
    write_header(&mut writer, place)?;
    Ok(Capture::from_file(format!("/proc/self/fd/{}", reader.as_raw_fd()))?)
}

fn write_header(writer: &mut PipeWriter, (link, is_swapped): Place) -> std::io::Result<()> {
    const MAGIC: u32 = 0xa1b2_c3d4;
    const SNAPSHOT: u32 = 262_144;
    const RAW_OF_OPENBSD: u16 = 14;
    // libpcap knows raw IP only by the numbers 12 and 101.
    let link = if link == RAW_OF_OPENBSD { LinkType::RAW.0 } else { link };
    let word = |word: u32| if is_swapped { word.swap_bytes() } else { word }.to_ne_bytes();
    let half = |half: u16| if is_swapped { half.swap_bytes() } else { half }.to_ne_bytes();
    let mut header = Vec::new();
    header.extend(word(MAGIC));
    header.extend([half(2), half(4)].concat());
    header.extend([0, 0, SNAPSHOT, u32::from(link)].map(word).concat());
    writer.write_all(&header)
}

fn parse(shown: &str) -> Option<Instruction> {
    let mut numbers = shown.split(' ').map(str::parse::<u32>);
    let mut number = || numbers.next()?.ok();
    Some(Instruction {
        code: number()?.try_into().ok()?,
        then: number()?.try_into().ok()?,
        otherwise: number()?.try_into().ok()?,
        k: number()?,
    })
}

/// The registers.
struct State<'a> {
    a: u32,
    x: u32,
    memory: [u32; MEMORY],
    bytes: &'a [u8],
    wire_len: u32,
}

impl Machine {
    /// Whether the program reads a word of memory that it never writes.
    fn reads_unwritten_memory(&self) -> bool {
        const FROM_MEMORY: u16 = 0x60;
        let one = |one: &Instruction| (one.code & 0x07, one.code & 0xe0, one.k);
        let writes = |k| {
            self.instructions
                .iter()
                .map(one)
                .any(|other| matches!(other, (2 | 3, _, to) if to == k))
        };
        let mut all = self.instructions.iter().map(one);
        all.any(|(class, mode, k)| class <= 1 && mode == FROM_MEMORY && !writes(k))
    }

    /// Whether the program selects the frame. A read beyond the captured bytes rejects it, as usual.
    fn run(&self, bytes: &[u8], wire_len: u32) -> bool {
        let mut state = State { a: 0, x: 0, memory: [0; MEMORY], bytes, wire_len };
        let mut at = 0;
        // `protochain` jumps back, but each time advances in the packet by at least a byte.
        let most_steps = self.instructions.len().saturating_mul(bytes.len() + 1);
        for _ in 0..most_steps {
            let Some(instruction) = self.instructions.get(at) else { return false };
            match state.step(*instruction) {
                Some(Step::On(by)) => at = (at + 1).wrapping_add_signed(by),
                Some(Step::Return(length)) => return length != 0,
                None => return false,
            }
        }
        false
    }
}

enum Step {
    /// Continue this many instructions after the next.
    On(isize),
    Return(u32),
}

impl State<'_> {
    /// One instruction, by its class (linux/bpf_common.h).
    fn step(&mut self, instruction: Instruction) -> Option<Step> {
        let Instruction { code, then, otherwise, k } = instruction;
        let operand = if code & 0x08 != 0 { self.x } else { k };
        match code & 0x07 {
            0 => self.a = self.load(code, k)?,
            1 => self.x = self.load_index(code, k)?,
            2 => *self.memory.get_mut(k as usize)? = self.a,
            3 => *self.memory.get_mut(k as usize)? = self.x,
            4 => self.a = calculate(code & 0xf0, self.a, operand)?,
            // Unlike the kernel's, libpcap's jumps may go back, so the distance is signed.
            5 if code & 0xf0 == 0 => return Some(Step::On(k.cast_signed() as isize)),
            5 => {
                let holds = compare(code & 0xf0, self.a, operand)?;
                return Some(Step::On(isize::from(if holds { then } else { otherwise })));
            }
            6 => return Some(Step::Return(if code & 0x18 == 0x10 { self.a } else { k })),
            _ if code & 0xf8 == 0x80 => self.a = self.x,
            _ => self.x = self.a,
        }
        Some(Step::On(0))
    }

    fn load(&self, code: u16, k: u32) -> Option<u32> {
        match code & 0xe0 {
            0x00 => Some(k),
            0x20 => self.packet(code, k),
            0x40 => self.packet(code, k.checked_add(self.x)?),
            0x60 => self.memory.get(k as usize).copied(),
            0x80 => Some(self.wire_len),
            _ => None,
        }
    }

    fn load_index(&self, code: u16, k: u32) -> Option<u32> {
        match code & 0xe0 {
            // The length of an IPv4 header.
            0xa0 => Some(u32::from(self.bytes.get(k as usize)? & 0x0f) * 4),
            _ => self.load(code & !0x18, k),
        }
    }

    /// A word, half a word or a byte of the packet.
    fn packet(&self, code: u16, at: u32) -> Option<u32> {
        let size = match code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            _ => 1,
        };
        let bytes = self.bytes.get(at as usize..)?.get(..size)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }
}

fn calculate(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(operand),
        0x10 => a.wrapping_sub(operand),
        0x20 => a.wrapping_mul(operand),
        0x30 => a.checked_div(operand)?,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => a.checked_shl(operand).unwrap_or(0),
        0x70 => a.checked_shr(operand).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0x90 => a.checked_rem(operand)?,
        0xa0 => a ^ operand,
        _ => return None,
    })
}

fn compare(operation: u16, a: u32, operand: u32) -> Option<bool> {
    Some(match operation {
        0x10 => a == operand,
        0x20 => a > operand,
        0x30 => a >= operand,
        0x40 => a & operand != 0,
        _ => return None,
    })
}
