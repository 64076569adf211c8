//! A configuration file.
//!
//! Nothing panics. For valid options, `config show` prints a file with the same settings, except for
//! secrets, which it hides.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use wherefore_agent::options::{LoadError, Loaded, Request, command, load};

use crate::scratch;

const HIDDEN: &str = "(hidden)";

/// See the module.
pub fn run(data: &[u8]) {
    let Ok(first) = read(&scratch::file("wherefore.toml", data)) else { return };
    let shown = command::show(&first);
    // Its head names it once.
    if shown.matches(HIDDEN).count() > 1 {
        return;
    }
    let second = again(&shown);
    // Sinks are shown with their defaults: they are the same from then on.
    assert_eq!(
        values(&first, &["config", "sink"]),
        values(&second, &["config", "sink"]),
        "{shown}"
    );
    let third = again(&command::show(&second));
    assert_eq!(values(&second, &["config"]), values(&third, &["config"]), "{shown}");
}

fn again(shown: &str) -> Loaded {
    let read = read(&scratch::file("shown.toml", shown.as_bytes()));
    read.unwrap_or_else(|problem| panic!("{problem} in\n{shown}"))
}

fn values(loaded: &Loaded, but: &[&str]) -> BTreeMap<String, Vec<OsString>> {
    loaded.values().into_iter().filter(|(name, _)| !but.contains(&name.as_str())).collect()
}

fn read(file: &Path) -> Result<Loaded, String> {
    let words = ["wherefore".into(), "--config".into(), file.as_os_str().to_owned()];
    let arguments: Vec<OsString> = words.into();
    load(&Request { arguments, environment: BTreeMap::new() }).map_err(|error| match error {
        LoadError::Usage(error) => error.to_string(),
        LoadError::Said(said) => said.to_string(),
    })
}
