//! The live view on a terminal: rows by process, pair, peer or service, plots, alerts. Owns the screen and
//! the keys; refuses to count traffic, and to make counting wait.

pub mod draw;
mod feed;
mod help;
pub mod keys;
pub mod model;
pub mod plain;
mod screen;
mod view;

pub use feed::Feed;
pub use screen::{is_able, restore};
pub use view::{Controls, View};
