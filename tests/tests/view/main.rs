//! The live view: pictures at five sizes, keys, filters, and sums; and a real
//! run in a real terminal.

mod live;
mod pictures;
mod scene;
mod states;
