//! Pictures at five sizes. `INSTA_UPDATE=always` draws them anew; look at them before they land.

use insta::assert_snapshot;
use ratatui::crossterm::event::KeyCode;

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

#[test]
fn any_size_is_drawn() {
    for page in ['x', '?', 'a', 'i', 'l', '\n'] {
        let mut model = model(true);
        let code = if page == '\n' { KeyCode::Enter } else { KeyCode::Char(page) };
        press(&mut model, code);
        for size in
            (0..90).flat_map(|width| [0, 1, 2, 3, 5, 9, 21, 23, 29].map(|height| [width, height]))
        {
            picture(&model, size);
        }
    }
}
