//! The list of keys. [`super::keys`] implements them.

/// Keys and their effects, for the help page.
pub(super) const HELP: [(&str, &str); 17] = [
    ("Tab g / Shift-Tab", "next / previous kind of rows: processes, pairs, peers, services …"),
    ("↑ ↓ j k PgUp PgDn Home End", "select another row"),
    ("Enter", "details of the selected row: plot, flows, ports, processes"),
    ("Esc", "back; clears the filter"),
    ("/", "filter rows by name"),
    ("s / r", "next column to sort by / reverse"),
    ("1 … 7", "sort by rate, in, out, total, peak, unusual, name"),
    ("a", "alerts with their full text"),
    ("i", "choose an interface"),
    ("l", "the log"),
    ("Space", "freeze the screen while counting continues; pause a replay"),
    ("+ -", "replay faster / slower"),
    (".", "step a replay by one reading"),
    ("← →", "move a replay 60 seconds back / forward"),
    ("Ctrl-L / Ctrl-Z", "redraw / move to the background"),
    ("mouse", "click a row, a column head, a tab; the wheel moves through rows"),
    ("q  Ctrl-C", "quit"),
];
