//! Anomaly detection: turns intervals into events, as facts. Owns the memory of groups, addresses and
//! interfaces, and the life cycle of incidents. Refuses clocks, I/O and words: the same intervals give the
//! same events.

pub mod addresses;
pub mod allow;
pub mod detectors;
pub mod engine;
pub mod event;
pub mod finding;
pub mod held;
pub mod incident;
pub mod judge;
pub mod kind;
pub mod methods;
pub mod places;
pub mod series;
pub mod settings;
