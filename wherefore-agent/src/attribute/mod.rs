//! Adds owners to an interval, and looks up country, AS and name of addresses. Owns the methods to find
//! these; refuses to count anything.

mod attributed;
mod by_kernel;
mod by_proc;
mod cgroup;
mod cgroups;
mod containers;
mod conversations;
pub mod directory;
mod end_owner;
pub mod ends;
pub mod geo;
pub mod grouping;
mod listed;
mod local;
pub mod names;
mod owners;
mod process;
mod process_cache;
mod reverse;
mod settings;
mod users;

pub use attributed::Attributed;
pub use directory::{Directory, Place};
pub use ends::Ends;
pub use reverse::ask;
pub use settings::{Mode, Settings};
