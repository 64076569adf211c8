//! Tests the effects of keys, and that every kind of rows adds up to the same total.

use ratatui::crossterm::event::KeyCode;
use wherefore_agent::output::terminal::keys::Effect;
use wherefore_agent::output::terminal::model::{Dimension, Model, Page, Sort, Subject};

use crate::scene::{SCRIPT, SECONDS, START_NS, model, picture, press, reading, type_in};
use wherefore_agent::output::reading::ViewMessage;

fn names(model: &Model) -> Vec<String> {
    model.order().iter().map(|subject| model.label(subject)).collect()
}

#[test]
fn every_view_has_the_same_total() {
    let model = model(true);
    let all: u64 = (0..SECONDS).flat_map(|at| SCRIPT.map(|script| (script.bytes)(at))).sum();
    assert_eq!(model.counts.totals.bytes, all);
    for by in model.dimensions() {
        let rows = model.counts.table(by).iter();
        assert_eq!(rows.map(|(_, row)| row.bytes()).sum::<u64>(), all, "{by:?}");
    }
    assert_eq!(model.dimensions().count(), 7);
}

#[test]
fn tab_goes_round() {
    let mut model = model(true);
    assert_eq!(model.choice.by, Dimension::Process);
    let ways: Vec<_> = model.dimensions().collect();
    for by in ways.iter().cycle().skip(1).take(ways.len()) {
        press(&mut model, KeyCode::Tab);
        assert_eq!(model.choice.by, *by);
    }
    press(&mut model, KeyCode::BackTab);
    assert_eq!(model.choice.by, Dimension::Interface);
    assert_eq!(names(&model), ["eth0", "docker0"]);
}

#[test]
fn the_filter_works_while_it_is_typed() {
    let mut model = model(true);
    type_in(&mut model, "/NGI");
    assert!(model.choice.is_typing);
    assert_eq!(names(&model), ["nginx (812)"]);
    assert!(picture(&model, [80, 24]).contains("/NGI"));
    press(&mut model, KeyCode::Backspace);
    press(&mut model, KeyCode::Enter);
    assert!(!model.choice.is_typing);
    assert_eq!(press(&mut model, KeyCode::Char('q')), Effect::Quit);
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.order().len(), 5);
}

#[test]
fn columns_sort() {
    let mut model = model(true);
    assert_eq!(names(&model)[..2], ["restic (4711)", "nginx (812)"]);
    press(&mut model, KeyCode::Char('2'));
    assert_eq!((model.choice.sort, names(&model)[0].as_str()), (Sort::In, "postgres (990)"));
    press(&mut model, KeyCode::Char('2'));
    assert!(model.choice.is_reversed);
    press(&mut model, KeyCode::Char('7'));
    assert_eq!(names(&model)[3], "postgres (990)");
}

#[test]
fn the_mark_follows_its_row() {
    let mut model = model(true);
    press(&mut model, KeyCode::Down);
    let marked = model.selected().cloned();
    assert_eq!(marked, Some(Subject::Process(812, "nginx".into())));
    press(&mut model, KeyCode::Char('r'));
    assert_eq!(model.selected().cloned(), marked);
    press(&mut model, KeyCode::Enter);
    assert_eq!(Some(model.choice.page.clone()), marked.map(Page::Detail));
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.choice.page, Page::Table);
}

#[test]
fn a_pause_freezes_the_screen_but_not_the_counts() {
    let mut model = model(true);
    press(&mut model, KeyCode::Char(' '));
    let before = picture(&model, [100, 30]);
    model.apply(ViewMessage::Reading(Box::new(reading(SECONDS, true))));
    model.arrange();
    assert_eq!(picture(&model, [100, 30]), before);
    assert_eq!(model.counts.last.start_ns, START_NS + SECONDS * 1_000_000_000);
    press(&mut model, KeyCode::Char(' '));
    assert_ne!(picture(&model, [100, 30]), before);
}

#[test]
fn one_interface_is_chosen() {
    let mut model = model(true);
    type_in(&mut model, "i");
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.choice.interface, Some(3));
    assert_eq!(names(&model), ["postgres (990)"]);
    assert!(picture(&model, [80, 24]).contains("only docker0"));
    model.apply(ViewMessage::Reading(Box::new(reading(SECONDS, true))));
    model.arrange();
    assert_eq!(names(&model), ["postgres (990)"]);
}

#[test]
fn an_incident_marks_its_rows() {
    let model = model(false);
    let unusual = |subject: &Subject| {
        let row = model.counts.table(Dimension::Pair).get(subject).expect("a row");
        model.unusual(subject, row)
    };
    let alerted: Vec<_> = model.order().iter().filter(|row| unusual(row).is_alerted).collect();
    assert_eq!(alerted.len(), 1);
    assert_eq!(model.label(alerted[0]), "192.0.2.10 ⇄ 203.0.113.90");
}
