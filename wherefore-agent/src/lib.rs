//! Wherefore's agent as a library: from packets to alerts.
//!
//! ```text
//! source -> Interval -> engine (series, anomaly) -> Alert -> sink
//!              |-> export (flows, totals)   |-> top (what a person watches)
//! ```
//!
//! Everything between `source` and `sink` is pure: no clock, no I/O, so that the replay of a
//! capture gives the same bytes out every time.
#![deny(unsafe_code)]

pub mod addresses;
pub mod alert;
pub mod allow;
pub mod anomaly;
pub mod backtest;
pub mod cli;
pub mod comparison;
pub mod config;
mod console;
mod csv_text;
mod descriptors;
pub mod detect;
pub mod engine;
pub mod evidence;
pub mod export;
pub mod expression;
mod files;
pub mod filter;
pub mod finding;
pub mod flows;
pub mod group;
pub mod incident;
pub mod interval;
pub mod judge;
pub mod kind;
pub mod log;
pub mod memory;
pub mod message;
mod outputs;
mod pipe;
mod places;
mod report;
pub mod run;
pub mod score;
pub mod secret;
pub mod series;
pub mod settings;
pub mod sink;
pub mod source;
pub mod state;
mod steady;
pub mod text;
pub mod top;
