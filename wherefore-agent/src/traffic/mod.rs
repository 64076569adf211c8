//! The types that all layers share: what moved in an interval, by flow, and how flows are grouped.
//! Owns their layout in memory; refuses to know where traffic comes from and what is made of it.

pub mod answers;
pub mod comparison;
pub mod flows;
pub mod group;
pub mod interval;
pub mod named;
pub(crate) mod places;
pub mod sum;
pub mod who;
