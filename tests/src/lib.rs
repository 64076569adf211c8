//! What the tests share: a laboratory of network namespaces.
#![forbid(unsafe_code)]

pub mod lab;
