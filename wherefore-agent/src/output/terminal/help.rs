//! The list of keys. [`super::keys`] implements them.

/// Keys and their effects, for the help page.
pub(super) const HELP: [(&str, &str); 17] = [
    ("Tab g / Shift-Tab", "next / previous way to look: processes, pairs, peers, services …"),
    ("↑ ↓ j k PgUp PgDn Home End", "move the mark"),
    ("Enter", "details of the marked row: plot, flows, ports, processes"),
    ("Esc", "back; clears the filter"),
    ("/", "filter by name as you type"),
    ("s / r", "next column to sort by / reverse"),
    ("1 … 7", "sort by rate, in, out, total, peak, unusual, name"),
    ("a", "alerts with their full text"),
    ("i", "choose an interface"),
    ("l", "the log"),
    ("Space", "let the picture stand still; counting goes on. A replay waits"),
    ("+ -", "replay faster / slower"),
    (".", "replay one reading"),
    ("← →", "replay 60 seconds back / ahead"),
    ("Ctrl-L / Ctrl-Z", "draw anew / to the background"),
    ("mouse", "click a row, a column, a tab; the wheel moves the mark"),
    ("q  Ctrl-C", "quit"),
];
