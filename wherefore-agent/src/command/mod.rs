//! The commands: run, replay, top, doctor, backtest, score, geo, history, why. Owns the steps of each command
//! and their order; refuses to parse options.

pub mod backtest;
pub(crate) mod csv_text;
pub mod doctor;
pub mod geo;
pub mod history;
pub mod live;
pub mod run;
pub mod score;
mod service;
pub mod top;
mod watch;
pub mod why;
