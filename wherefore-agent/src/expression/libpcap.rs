//! Expressions that only libpcap understands: its compiler makes programs of the classic BPF of
//! them, one for each link type, which are run here, because the crate's own way to run them takes
//! a packet that was cut for a short one. Owns that machine; refuses anything but filters.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pcap::{Capture, Linktype};
use wherefore_common::LinkType;

use crate::config::UsageError;

/// Words of memory that the machine has.
const MEMORY: usize = 16;

/// An expression with its programs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    text: String,
    /// By link type; none where libpcap can't compile it for that one.
    programs: Arc<RwLock<BTreeMap<u16, Option<Arc<Machine>>>>>,
}

impl Compiled {
    /// Compiles it for Ethernet, which tells whether it is sound.
    pub(super) fn new(text: &str) -> Result<Self, UsageError> {
        let machine = compile(text, LinkType::ETHERNET).map_err(|error| {
            UsageError(format!("the filter expression {text:?} cannot be used: {error}"))
        })?;
        let programs = BTreeMap::from([(LinkType::ETHERNET.0, Some(Arc::new(machine)))]);
        Ok(Self { text: text.to_owned(), programs: Arc::new(RwLock::new(programs)) })
    }

    /// Whether libpcap's program takes the frame.
    pub(super) fn selects(&self, link: LinkType, octets: &[u8], wire_len: u32) -> bool {
        self.program(link).is_some_and(|machine| machine.run(octets, wire_len))
    }

    fn program(&self, link: LinkType) -> Option<Arc<Machine>> {
        let known =
            self.programs.read().unwrap_or_else(PoisonError::into_inner).get(&link.0).cloned();
        known.unwrap_or_else(|| {
            let compiled = compile(&self.text, link).map(Arc::new);
            let failed = |error: &String| {
                tracing::warn!(link = link.0, error, "no packet of this link type is watched");
            };
            let compiled = compiled.inspect_err(failed).ok();
            let mut programs = self.programs.write().unwrap_or_else(PoisonError::into_inner);
            programs.entry(link.0).or_insert(compiled).clone()
        })
    }
}

/// A program of the classic BPF.
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

fn compile(text: &str, link: LinkType) -> Result<Machine, String> {
    /// What the kernel alone knows of a packet is loaded from there on (SKF_AD_OFF of
    /// linux/filter.h).
    const ANCILLARY: u32 = 0xffff_f000;
    /// DLT_RAW on Linux. Of the numbers in files that we open, only that of raw IP is another in
    /// libpcap's functions.
    const RAW: i32 = 12;
    let number = if link == LinkType::RAW { RAW } else { i32::from(link.0) };
    let dead = Capture::dead(Linktype(number)).map_err(|error| error.to_string())?;
    let program = dead.compile(text, true).map_err(|error| match error {
        pcap::Error::PcapError(words) => words,
        other => other.to_string(),
    })?;
    // The crate shows an instruction as its four numbers, and in no other way.
    let shown =
        program.get_instructions().iter().map(|instruction| parse(&instruction.to_string()));
    let shown = shown.collect::<Option<Vec<Instruction>>>();
    let instructions = shown.ok_or("libpcap's program is not readable")?;
    // Classes 0 and 1 are loads.
    if instructions.iter().any(|one| one.code & 7 <= 1 && one.k >= ANCILLARY) {
        return Err("what only the kernel knows of a packet, such as its direction".to_owned());
    }
    Ok(Machine { instructions })
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
    octets: &'a [u8],
    wire_len: u32,
}

impl Machine {
    /// Whether the program takes the frame; a read beyond what was captured refuses it, as ever.
    fn run(&self, octets: &[u8], wire_len: u32) -> bool {
        let mut state = State { a: 0, x: 0, memory: [0; MEMORY], octets, wire_len };
        let mut at = 0;
        loop {
            let Some(instruction) = self.instructions.get(at) else { return false };
            at += 1;
            match state.step(*instruction) {
                // Jumps of the classic BPF only go forward: this ends.
                Some(Step::On(by)) => at += by,
                Some(Step::Return(length)) => return length != 0,
                None => return false,
            }
        }
    }
}

enum Step {
    On(usize),
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
            5 if code & 0xf0 == 0 => return Some(Step::On(k as usize)),
            5 => {
                let holds = compare(code & 0xf0, self.a, operand)?;
                return Some(Step::On(usize::from(if holds { then } else { otherwise })));
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
            0xa0 => Some(u32::from(self.octets.get(k as usize)? & 0x0f) * 4),
            _ => self.load(code & !0x18, k),
        }
    }

    /// A word, half a word or an octet of the packet.
    fn packet(&self, code: u16, at: u32) -> Option<u32> {
        let size = match code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            _ => 1,
        };
        let octets = self.octets.get(at as usize..)?.get(..size)?;
        Some(octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
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
