//! Programs to measure against, written as instructions: one that does nothing, one that parses, one
//! that parses and makes one bare map look-up; and one that makes every run another flow. Owns
//! their code; refuses options, checks and anything else that a real program needs.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::bpf::{Hook, Instruction};

/// Bytes of a bare look-up's value, as many as Wherefore's counters have.
pub(crate) const VALUE: u32 = 64;
/// The positions of a key and a value on the stack.
const KEY_AT: i16 = -48;
const VALUE_AT: i16 = -112;
/// Helpers of linux/bpf.h.
const LOOK_UP: i32 = 1;
const UPDATE: i32 = 2;
const TAIL_CALL: i32 = 12;
const NOEXIST: i32 = 1;

/// Operation codes: class, source and operation together.
const LOAD_U8: u8 = 0x71;
const LOAD_U16: u8 = 0x69;
const LOAD_U32: u8 = 0x61;
const LOAD_U64: u8 = 0x79;
const STORE_U32: u8 = 0x63;
const STORE_U64: u8 = 0x7b;
const STORE_ZERO_U64: u8 = 0x7a;
const MOVE: u8 = 0xbf;
const MOVE_NUMBER: u8 = 0xb7;
const ADD: u8 = 0x0f;
const ADD_NUMBER: u8 = 0x07;
const SUBTRACT: u8 = 0x1f;
const MULTIPLY_32: u8 = 0x24;
const ADD_32: u8 = 0x04;
const AND_32: u8 = 0x54;
const OR_32: u8 = 0x44;
const BIG_ENDIAN: u8 = 0xdc;
const JUMP_IF_GREATER: u8 = 0x2d;
const JUMP_UNLESS_EQUAL: u8 = 0x55;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const LOAD_MAP: u8 = 0x18;
/// `BPF_PSEUDO_MAP_FD`, in the place of the source register.
const MAP_DESCRIPTOR: u8 = 1;

/// How wide the key of a bare look-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// The length of Wherefore's own key, with room for IPv6.
    Both = 48,
    /// The length that IPv4 needs.
    V4 = 16,
}

/// Instructions in the making; jumps to the end are filled in there.
struct Code {
    hook: Hook,
    code: Vec<Instruction>,
    leaving: Vec<usize>,
}

/// Does nothing.
pub(crate) fn empty(hook: Hook) -> Vec<Instruction> {
    Code::new(hook).end()
}

/// Reads Ethernet, IPv4 and ports, and makes a key of them on the stack.
pub(crate) fn parse(hook: Hook) -> Vec<Instruction> {
    let mut code = Code::new(hook);
    code.headers(42);
    code.key(Width::Both);
    code.end()
}

/// The same, and adds to two counters of that key in a hash map.
pub(crate) fn look_up(hook: Hook, width: Width, map: BorrowedFd<'_>) -> Vec<Instruction> {
    let mut code = Code::new(hook);
    code.headers(42);
    code.key(width);
    code.count(map);
    code.end()
}

/// Makes the frame the next one of `flows` (a power of two), in an order that has no pattern a
/// processor could foresee, and calls the program of the array. The place in that order is in the
/// frame's first word, which no program reads: a linear congruence visits each flow once a cycle.
pub(crate) fn next_flow(hook: Hook, flows: u32, programs: BorrowedFd<'_>) -> Vec<Instruction> {
    let mut code = Code::new(hook);
    code.headers(42);
    code.put(LOAD_U32, 3, 2, 0, 0);
    code.put(MULTIPLY_32, 3, 0, 0, 1_664_525);
    code.put(ADD_32, 3, 0, 0, 1_013_904_223);
    code.put(AND_32, 3, 0, 0, flows as i32 - 1);
    code.put(STORE_U32, 2, 3, 0, 0);
    code.put(OR_32, 3, 0, 0, 10 << 24);
    code.put(BIG_ENDIAN, 3, 0, 0, 32);
    code.put(STORE_U32, 2, 3, 26, 0);
    code.put(MOVE, 1, 6, 0, 0);
    code.map(2, programs);
    code.put(MOVE_NUMBER, 3, 0, 0, 0);
    code.put(CALL, 0, 0, 0, TAIL_CALL);
    code.end()
}

impl Code {
    fn new(hook: Hook) -> Self {
        Self { hook, code: Vec::new(), leaving: Vec::new() }
    }

    fn put(&mut self, operation: u8, to: u8, from: u8, offset: i16, number: i32) {
        let (registers, offset) = (u64::from(to | from << 4), u64::from(offset as u16));
        let number = u64::from(number as u32);
        self.code.push(u64::from(operation) | registers << 8 | offset << 16 | number << 32);
    }

    fn leave(&mut self, operation: u8, to: u8, from: u8, number: i32) {
        self.leaving.push(self.code.len());
        self.put(operation, to, from, 0, number);
    }

    fn map(&mut self, register: u8, map: BorrowedFd<'_>) {
        self.put(LOAD_MAP, register, MAP_DESCRIPTOR, 0, map.as_raw_fd());
        self.put(0, 0, 0, 0, 0);
    }

    /// The context in register 6, the packet in register 2, if it has this many bytes.
    fn headers(&mut self, bytes: i32) {
        let (start, end) = match self.hook {
            Hook::Tc => (76, 80),
            Hook::Xdp => (0, 4),
        };
        self.put(MOVE, 6, 1, 0, 0);
        self.put(LOAD_U32, 2, 6, start, 0);
        self.put(LOAD_U32, 3, 6, end, 0);
        self.put(MOVE, 4, 2, 0, 0);
        self.put(ADD_NUMBER, 4, 0, 0, bytes);
        self.leave(JUMP_IF_GREATER, 4, 3, 0);
        self.put(LOAD_U16, 5, 2, 12, 0);
        self.leave(JUMP_UNLESS_EQUAL, 5, 0, 0x0008);
        self.put(LOAD_U8, 5, 2, 14, 0);
        self.leave(JUMP_UNLESS_EQUAL, 5, 0, 0x45);
    }

    /// The key, on the stack.
    fn key(&mut self, width: Width) {
        let destination = if width == Width::Both { KEY_AT + 16 } else { KEY_AT + 4 };
        let rest = if width == Width::Both { KEY_AT + 32 } else { KEY_AT + 8 };
        for at in (0..width as i16).step_by(8) {
            self.put(STORE_ZERO_U64, 10, 0, KEY_AT + at, 0);
        }
        for (from, to) in [(26, KEY_AT), (30, destination), (34, rest)] {
            self.put(LOAD_U32, 5, 2, from, 0);
            self.put(STORE_U32, 10, 5, to, 0);
        }
        self.put(LOAD_U8, 5, 2, 23, 0);
        self.put(STORE_U32, 10, 5, rest + 4, 0);
    }

    /// Frame bytes in register 7, then the entry: added to, or made.
    fn count(&mut self, map: BorrowedFd<'_>) {
        self.count_frame_bytes();
        self.map(1, map);
        self.stack(2, KEY_AT);
        self.put(CALL, 0, 0, 0, LOOK_UP);
        // Jumps over the following instructions, whose number [`Self::insert`] fills in.
        self.put(JUMP_UNLESS_EQUAL, 0, 0, 0, 0);
        self.insert(map);
        for (at, register) in [(0, 1), (8, 7)] {
            self.put(LOAD_U64, 2, 0, at, 0);
            if register == 1 {
                self.put(ADD_NUMBER, 2, 0, 0, 1);
            } else {
                self.put(ADD, 2, register, 0, 0);
            }
            self.put(STORE_U64, 0, 2, at, 0);
        }
    }

    /// Makes the entry and ends; the jump before it leads over it.
    fn insert(&mut self, map: BorrowedFd<'_>) {
        let before = self.code.len();
        for at in (16..VALUE as i16).step_by(8) {
            self.put(STORE_ZERO_U64, 10, 0, VALUE_AT + at, 0);
        }
        self.put(MOVE_NUMBER, 5, 0, 0, 1);
        self.put(STORE_U64, 10, 5, VALUE_AT, 0);
        self.put(STORE_U64, 10, 7, VALUE_AT + 8, 0);
        self.map(1, map);
        self.stack(2, KEY_AT);
        self.stack(3, VALUE_AT);
        self.put(MOVE_NUMBER, 4, 0, 0, NOEXIST);
        self.put(CALL, 0, 0, 0, UPDATE);
        self.put(MOVE_NUMBER, 0, 0, 0, self.verdict());
        self.put(EXIT, 0, 0, 0, 0);
        let length = self.code.len() - before;
        let jump = before - 1;
        self.code[jump] = self.code[jump] & !(0xffff << 16) | (length as u64) << 16;
    }

    fn count_frame_bytes(&mut self) {
        match self.hook {
            Hook::Tc => self.put(LOAD_U32, 7, 6, 0, 0),
            Hook::Xdp => {
                self.put(MOVE, 7, 3, 0, 0);
                self.put(SUBTRACT, 7, 2, 0, 0);
            }
        }
    }

    /// The address of a place on the stack.
    fn stack(&mut self, register: u8, at: i16) {
        self.put(MOVE, register, 10, 0, 0);
        self.put(ADD_NUMBER, register, 0, 0, i32::from(at));
    }

    /// Let the packet pass.
    fn verdict(&self) -> i32 {
        match self.hook {
            Hook::Tc => -1,
            Hook::Xdp => 2,
        }
    }

    fn end(mut self) -> Vec<Instruction> {
        let end = self.code.len();
        for place in std::mem::take(&mut self.leaving) {
            self.code[place] |= ((end - place - 1) as u64) << 16;
        }
        self.put(MOVE_NUMBER, 0, 0, 0, self.verdict());
        self.put(EXIT, 0, 0, 0, 0);
        self.code
    }
}
