//! The stack of the kernel programs, read from their object: the need of each with all functions that it calls,
//! as the verifier adds it up. Owns a budget below the kernel's limit, so that a change that approaches
//! it is noticed before a kernel refuses it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aya_obj::Object;
use aya_obj::generated::bpf_insn;
use wherefore_tests::kernel::object_path;

/// Bytes, of the 512 that the kernel allows (`MAX_BPF_STACK`).
const BUDGET: i32 = 512;
/// The size to which the kernel rounds each frame up, before Linux 6.12 for all programs.
const FRAME: i32 = 32;
/// From linux/bpf.h: the register of the frame; a call of another function.
const FRAME_POINTER: u8 = 10;
const CALL: u8 = 0x85;
const PSEUDO_CALL: u8 = 1;
/// 64-bit: register to register, and adding a number.
const MOVE: u8 = 0xbf;
const ADD_NUMBER: u8 = 0x07;
/// A load from memory; the other classes of memory are stores.
const CLASS: u8 = 0x07;
const LOAD: u8 = 0x01;
const STORES: [u8; 2] = [0x02, 0x03];

/// The lowest address that a function uses, in bytes below its frame pointer. Addresses in the frame
/// are the frame pointer itself, or a copy of it to which a number is added at once.
fn frame(code: &[bpf_insn]) -> i32 {
    let direct = code.iter().map(|instruction| {
        let base = match instruction.code & CLASS {
            LOAD => instruction.src_reg(),
            class if STORES.contains(&class) => instruction.dst_reg(),
            _ => return 0,
        };
        if base == FRAME_POINTER { -i32::from(instruction.off) } else { 0 }
    });
    let computed = code.windows(2).map(|pair| {
        let is_copy = pair[0].code == MOVE && pair[0].src_reg() == FRAME_POINTER;
        let is_moved = pair[1].code == ADD_NUMBER && pair[1].dst_reg() == pair[0].dst_reg();
        if is_copy && is_moved { -pair[1].imm } else { 0 }
    });
    direct.chain(computed).max().unwrap_or(0)
}

/// The start of the function that an instruction calls, if it is one of the object's.
fn callee(code: &[bpf_insn], at: usize) -> Option<usize> {
    let call = code[at];
    let is_call = call.code == CALL && call.src_reg() == PSEUDO_CALL;
    is_call.then(|| (at as i64 + 1 + i64::from(call.imm)) as usize)
}

/// The stack that a function needs with the deepest of those that it calls; by their starts.
fn depth(code: &[bpf_insn], begin: usize, starts: &BTreeMap<usize, usize>) -> Result<i32> {
    let end = *starts.get(&begin).context("a call of no function")?;
    let own = (frame(&code[begin..end]).max(1) + FRAME - 1) / FRAME * FRAME;
    let called = (begin..end).filter_map(|at| callee(code, at));
    let depths = called.map(|callee| depth(code, callee, starts)).collect::<Result<Vec<_>>>()?;
    Ok(own + depths.into_iter().max().unwrap_or(0))
}

#[test]
fn programs_leave_room_on_the_stack() -> Result<()> {
    let bytes = std::fs::read(object_path())?;
    let mut object = Object::parse(&bytes)?;
    let sections = object.functions.keys().map(|(section, _)| *section).collect();
    // Behind each program, all that it calls.
    object.relocate_calls(&sections)?;
    assert!(object.programs.len() >= 6, "{} programs", object.programs.len());
    for (name, program) in &object.programs {
        let code = &object.functions[&(program.section_index, program.address)].instructions;
        let mut begins: Vec<_> = (0..code.len()).filter_map(|at| callee(code, at)).collect();
        begins.extend([0, code.len()]);
        begins.sort_unstable();
        begins.dedup();
        let starts = begins.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let depth = depth(code, 0, &starts)?;
        println!("{name}: {depth} bytes of stack, {} functions", begins.len() - 1);
        assert!(depth > FRAME, "{name}: a program without a stack is none");
        assert!(depth <= BUDGET, "{name}: {depth} bytes of stack");
    }
    Ok(())
}
