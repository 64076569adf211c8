//! Pictures at five sizes. `INSTA_UPDATE=always` redraws them; look at them before you commit them.

use insta::assert_snapshot;
use ratatui::crossterm::event::KeyCode;
use serde_json::json;
use wherefore_agent::output::reading::{Judged, ViewMessage};
use wherefore_agent::output::terminal::model::Model;

use crate::scene::{model, picture, press};

const SIZES: [[u16; 2]; 5] = [[60, 20], [80, 24], [100, 30], [120, 40], [200, 60]];

#[test]
fn the_table_at_every_size() {
    let mut model = model(false);
    for size @ [width, height] in SIZES {
        model.arrange();
        assert_snapshot!(format!("table-{width}x{height}"), picture(&model, size));
    }
}

#[test]
fn processes_come_first_where_they_are_known() {
    let model = model(true);
    for size @ [width, height] in SIZES {
        assert_snapshot!(format!("processes-{width}x{height}"), picture(&model, size));
    }
}

#[test]
fn details_at_every_size() {
    let mut model = model(false);
    press(&mut model, KeyCode::Enter);
    for size @ [width, height] in SIZES {
        assert_snapshot!(format!("details-{width}x{height}"), picture(&model, size));
    }
}

#[test]
fn pages_over_the_table() {
    for (name, key) in [("help", '?'), ("alerts", 'a'), ("interfaces", 'i')] {
        let mut model = model(true);
        press(&mut model, KeyCode::Char(key));
        for size @ [width, height] in [SIZES[0], SIZES[2]] {
            assert_snapshot!(format!("{name}-{width}x{height}"), picture(&model, size));
        }
    }
}

/// The scene, and two unusual things that were not reported.
fn holding() -> Model {
    let held = |reason: &str, dst: &str, bytes: u64| {
        serde_json::from_value(json!({
            "time": "2026-11-29T20:01:40Z", "reason": reason, "kind": "volume",
            "group_by": "pair", "src": "192.0.2.10", "dst": dst, "bytes": bytes,
            "due_seconds": 7200.0,
        }))
        .expect("a record")
    };
    let held_back = [("budget", 1), ("minimum", 1)];
    let judged = Judged {
        groups: 7,
        held_back: held_back.map(|(reason, count)| (reason.to_owned(), count)).into(),
        held: vec![held("budget", "198.51.100.7", 812_000), held("minimum", "192.0.2.1", 900)],
        ..Judged::default()
    };
    let mut model = model(false);
    model.apply(ViewMessage::Judged(Box::new(judged)));
    model.arrange();
    model
}

#[test]
fn held_back_findings_are_shown() {
    let mut model = holding();
    assert_snapshot!("held-back-80x24", picture(&model, [80, 24]));
    press(&mut model, KeyCode::Char('a'));
    assert_snapshot!("held-back-alerts-80x24", picture(&model, [80, 24]));
}

#[test]
fn any_size_is_drawn() {
    for page in ['x', '?', 'a', 'i', 'l', '\n'] {
        let mut model = holding();
        let code = if page == '\n' { KeyCode::Enter } else { KeyCode::Char(page) };
        press(&mut model, code);
        for size in
            (0..90).flat_map(|width| [0, 1, 2, 3, 5, 9, 21, 23, 29].map(|height| [width, height]))
        {
            picture(&model, size);
        }
    }
}
