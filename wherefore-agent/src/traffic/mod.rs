//! The types that all layers share: the traffic of an interval, its flows, and their grouping. Owns their
//! layout in memory; refuses to know where traffic comes from and how it is used.

pub mod answers;
pub(crate) mod compact_key;
pub mod comparison;
pub mod flows;
pub mod group;
pub(crate) mod hash_index;
pub mod interval;
pub mod named;
pub mod service;
pub mod sum;
pub mod who;
