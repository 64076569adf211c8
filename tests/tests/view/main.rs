//! The live view: pictures at five sizes, keys, filters, and that what it shows adds up.

mod pictures;
mod scene;
mod states;
