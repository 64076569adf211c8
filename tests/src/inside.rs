//! Makes system calls from inside another process, as an attacker could who has taken it over.
//!
//! Owns the debugger: the first thread of the process makes the calls, and continues as before when
//! [`Inside`] is dropped. Refuses to judge their results.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::libc::user_regs_struct;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::lab::wait_until;

/// The instruction that makes a system call.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// Below the stack of the stopped code, including the red zone.
const BELOW: u64 = 2048;
/// How long it may take until a process waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process whose first thread is stopped, in a system call of its own.
pub struct Inside {
    pid: Pid,
    memory: File,
    before: user_regs_struct,
}

impl Inside {
    /// Stops the first thread of a process as soon as it waits for something.
    pub fn of(process: u32) -> Result<Self> {
        let mut inside = None;
        wait_until(PATIENCE, || {
            inside = Self::now(process).transpose();
            inside.is_some()
        });
        inside.context("it never waits")?
    }

    /// Stops it, unless it is not in a system call.
    fn now(process: u32) -> Result<Option<Self>> {
        let pid = Pid::from_raw(i32::try_from(process)?);
        let memory = OpenOptions::new().read(true).write(true).open(format!("/proc/{pid}/mem"));
        let memory = memory.context("opening its memory")?;
        ptrace::seize(pid, ptrace::Options::empty()).context("tracing it")?;
        ptrace::interrupt(pid)?;
        wait(pid)?;
        let inside = Self { pid, memory, before: ptrace::getregs(pid)? };
        let mut instruction = [0; 2];
        inside.memory.read_exact_at(&mut instruction, inside.before.rip - 2)?;
        Ok((instruction == SYSCALL).then_some(inside))
    }

    /// Makes a system call; a negative result is an error number.
    pub fn call(&self, number: i64, arguments: [u64; 6]) -> Result<i64> {
        let [rdi, rsi, rdx, r10, r8, r9] = arguments;
        let rip = self.before.rip - 2;
        let call = user_regs_struct { rip, rdi, rsi, rdx, r10, r8, r9, ..self.before };
        // Keeps the kernel from restarting the call that was interrupted.
        let call = user_regs_struct { rax: number.cast_unsigned(), orig_rax: u64::MAX, ..call };
        ptrace::setregs(self.pid, call)?;
        ptrace::step(self.pid, None)?;
        wait(self.pid)?;
        Ok(ptrace::getregs(self.pid)?.rax.cast_signed())
    }

    /// Puts bytes where a call can read them, and returns their address; the next ones replace them.
    pub fn put(&self, bytes: &[u8]) -> Result<u64> {
        let place = (self.before.rsp - BELOW) & !15;
        ensure!((bytes.len() as u64) < BELOW / 2, "too many bytes");
        self.memory.write_all_at(bytes, place).context("writing to its stack")?;
        Ok(place)
    }

    /// Makes a system call whose first argument is a text.
    pub fn call_with(&self, number: i64, text: &str, rest: [u64; 5]) -> Result<i64> {
        let place = self.put(&[text.as_bytes(), &[0]].concat())?;
        let [a, b, c, d, e] = rest;
        self.call(number, [place, a, b, c, d, e])
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // If it has ended, there is nothing to restore.
        let _ = ptrace::setregs(self.pid, self.before);
        let _ = ptrace::detach(self.pid, None);
    }
}

/// Waits until the thread is stopped.
fn wait(pid: Pid) -> Result<()> {
    let status = waitpid(pid, Some(WaitPidFlag::__WALL))?;
    let is_stopped = matches!(status, WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..));
    ensure!(is_stopped, "the process has ended: {status:?}");
    Ok(())
}
