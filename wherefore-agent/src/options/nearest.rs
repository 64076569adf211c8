//! Finds the option that an unknown name was probably meant for. Owns the limit of similarity.

use clap::{Arg, Command};

/// The least similarity at which a name is taken for a typing error (Jaro-Winkler, 0 to 1).
const SIMILAR: f64 = 0.85;

/// The option with the most similar name, if any is similar enough.
pub(crate) fn nearest(command: &Command, name: &str) -> Option<String> {
    nearest_of(command, &[name])
}

/// The option with the name most similar to one of these, if any is similar enough.
pub(super) fn nearest_of(command: &Command, names: &[&str]) -> Option<String> {
    let names: Vec<_> =
        names.iter().map(|name| name.to_ascii_lowercase().replace('_', "-")).collect();
    let likeness =
        |long: &&str| names.iter().map(|name| strsim::jaro_winkler(long, name)).fold(0.0, f64::max);
    let longs = command.get_arguments().filter_map(Arg::get_long);
    let longs = longs.filter(|long| !["help", "version"].contains(long));
    let best = longs.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&best) >= SIMILAR).then(|| best.to_owned())
}
