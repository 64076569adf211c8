//! A DNS message.
//!
//! Nothing panics. Decoded names are short and have no control characters.

use wherefore_agent::attribute::names::read_answer;

/// See the module.
pub fn run(data: &[u8]) {
    read_answer(data, |name, _, _| {
        assert!(name.len() <= 253, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    });
}
