//! Plots of dots: each character of the screen has two columns of four dots. Owns their shape.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The dots of a character from the bottom, in its left and right column.
const DOTS: [[u32; 2]; 4] = [[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]];
/// The character without dots.
const EMPTY: u32 = 0x2800;

/// Draws points as a filled area, the newest at the right. A point of `largest` reaches the top.
pub(super) fn area(buffer: &mut Buffer, place: Rect, points: &[f32], largest: f32, style: Style) {
    let (columns, rows) = (usize::from(place.width) * 2, usize::from(place.height) * 4);
    if points.is_empty() || columns == 0 || rows == 0 {
        return;
    }
    let heights: Vec<usize> =
        (0..columns).map(|column| height(points, column, columns, rows, largest)).collect();
    for (x, pair) in (place.x..).zip(heights.chunks_exact(2)) {
        for row in 0..place.height {
            let from = usize::from(place.height - 1 - row) * 4;
            let dots = (0..4).flat_map(|dot| (0..2).map(move |side| (dot, side)));
            let is_set = |(dot, side): &(usize, usize)| pair[*side] > from + dot;
            let bits = dots.filter(is_set).fold(EMPTY, |bits, (dot, side)| bits | DOTS[dot][side]);
            if let Some(letter) = char::from_u32(bits).filter(|_| bits != EMPTY) {
                buffer[(x, place.y + row)].set_char(letter).set_style(style);
            }
        }
    }
}

/// The height of a column in dots. Any traffic has at least one.
fn height(points: &[f32], column: usize, columns: usize, rows: usize, largest: f32) -> usize {
    let point = points[(column * points.len() / columns).min(points.len() - 1)];
    if point <= 0.0 || largest <= 0.0 {
        return 0;
    }
    ((point / largest * rows as f32).round() as usize).clamp(1, rows)
}

/// The next round number (1, 2 or 5 times a power of ten) that is not below this one.
pub(super) fn round_up(number: f32) -> f32 {
    let least = number.max(1.0);
    let power = 10f32.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= least * 0.999);
    step.unwrap_or(10.0) * power
}

/// Points as bars of eighths of a line. The highest leaves one eighth free, so that neighbouring lines stay
/// apart. Empty if there is no traffic.
pub(super) fn bars(points: &[f32]) -> String {
    const BARS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
    let largest = points.iter().copied().fold(0.0, f32::max);
    let bar = |point: &f32| match *point > 0.0 {
        true => BARS[((point / largest * 6.0).round() as usize).min(6)],
        false => ' ',
    };
    points.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_filled_from_the_bottom() {
        let place = Rect::new(0, 0, 2, 2);
        let mut buffer = Buffer::empty(place);
        area(&mut buffer, place, &[0.0, 0.1, 4.0, 8.0], 8.0, Style::new());
        let text: Vec<String> =
            (0..2).map(|y| (0..2).map(|x| buffer[(x, y)].symbol().to_owned()).collect()).collect();
        assert_eq!(text, [" ⢸", "⢀⣿"]);
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let rounded = [0.0, 1.0, 1.1, 3.0, 7.0, 999.0, 1000.0].map(round_up);
        assert_eq!(rounded, [1.0, 1.0, 2.0, 5.0, 10.0, 1000.0, 1000.0]);
    }

    #[test]
    fn bars_show_silence() {
        assert_eq!(bars(&[0.0, 1.0, 7.0]), " ▂▇");
    }
}
