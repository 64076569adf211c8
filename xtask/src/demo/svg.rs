//! Draws the screen of a terminal as SVG. Owns the sixteen colours and the placement of letters; reads the
//! output of `tmux capture-pane -e`.

use std::fmt::Write;

/// Size of a letter's cell.
const CELL: [f32; 2] = [8.4, 18.0];
const MARGIN: f32 = 14.0;
const BACKGROUND: &str = "#1a1b26";
const LETTERS: &str = "#c0caf5";
const SIXTEEN: [&str; 16] = [
    "#15161e", "#f7768e", "#9ece6a", "#e0af68", "#7aa2f7", "#bb9af7", "#7dcfff", "#a9b1d6",
    "#565f89", "#f7768e", "#9ece6a", "#e0af68", "#7aa2f7", "#bb9af7", "#7dcfff", "#c0caf5",
];

/// The appearance of letters.
#[derive(Debug, Clone, Default, PartialEq)]
struct Style {
    colour: Option<String>,
    ground: Option<String>,
    is_bold: bool,
    is_dim: bool,
    is_reversed: bool,
}

/// Draws the screen.
pub(super) fn draw(screen: &str, columns: usize, rows: usize) -> String {
    let width = columns as f32 * CELL[0] + 2.0 * MARGIN;
    let height = rows as f32 * CELL[1] + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" \
         font-size=\"14\" xml:space=\"preserve\">\n\
         <title>wherefore top, drawn by `cargo xtask screenshot`</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    let mut style = Style::default();
    for (row, line) in screen.lines().take(rows).enumerate() {
        draw_line(&mut svg, line, row, &mut style);
    }
    svg + "</svg>\n"
}

fn draw_line(svg: &mut String, line: &str, row: usize, style: &mut Style) {
    let (mut column, mut run) = (0, String::new());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            run.push(letter);
            continue;
        }
        column += draw_run(svg, &run, row, column, style);
        run.clear();
        let codes: String =
            letters.by_ref().skip(1).take_while(|letter| !letter.is_ascii_alphabetic()).collect();
        style.apply(&codes);
    }
    draw_run(svg, &run, row, column, style);
}

/// Draws letters of one style; returns their number.
fn draw_run(svg: &mut String, run: &str, row: usize, column: usize, style: &Style) -> usize {
    let letters = run.chars().count();
    let (x, y) = (MARGIN + column as f32 * CELL[0], MARGIN + row as f32 * CELL[1]);
    let width = letters as f32 * CELL[0];
    let (mut colour, mut ground) = (style.colour.clone(), style.ground.clone());
    if style.is_reversed {
        let letters = colour.unwrap_or_else(|| LETTERS.to_owned());
        (colour, ground) = (ground.or_else(|| Some(BACKGROUND.to_owned())), Some(letters));
    }
    // Writing to a string cannot fail.
    if let Some(ground) = ground.filter(|_| letters > 0) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{ground}\"/>",
            CELL[1]
        );
    }
    let colour = colour.unwrap_or_else(|| LETTERS.to_owned());
    let shapes: String =
        run.chars().enumerate().map(|(at, letter)| shape(letter, x, at, y)).collect();
    if !shapes.is_empty() {
        let _ = writeln!(svg, "<path fill=\"{colour}\" d=\"{shapes}\"/>");
    }
    for (at, word) in words(run) {
        let weight = if style.is_bold { " font-weight=\"bold\"" } else { "" };
        let dim = if style.is_dim { " opacity=\"0.6\"" } else { "" };
        let (x, y) = (x + at as f32 * CELL[0], y + CELL[1] - 4.5);
        let width = word.chars().count() as f32 * CELL[0];
        let text = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\" textLength=\"{width:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\"{weight}{dim}>{text}</text>"
        );
    }
    letters
}

/// Whether a letter is drawn as a shape, because its width differs between fonts.
fn is_shape(letter: char) -> bool {
    matches!(letter, '\u{2581}'..='\u{2588}' | '\u{2800}'..='\u{28ff}')
}

/// Blocks and dots as a path.
fn shape(letter: char, x: f32, at: usize, y: f32) -> String {
    let x = x + at as f32 * CELL[0];
    let rectangle = |x: f32, y: f32, width: f32, height: f32| {
        format!("M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z")
    };
    match letter {
        '\u{2581}'..='\u{2588}' => {
            let height = CELL[1] * (letter as u32 - 0x2580) as f32 / 8.0;
            rectangle(x, y + CELL[1] - height, CELL[0] + 0.1, height)
        }
        '\u{2801}'..='\u{28ff}' => {
            // The bits of the dots: left column, then right column, each from the top.
            const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
            let bits = letter as u32 - 0x2800;
            let (wide, high) = (CELL[0] / 2.0, CELL[1] / 4.0);
            let dots = DOTS.iter().enumerate().flat_map(|(column, dots)| {
                dots.iter()
                    .enumerate()
                    .filter(move |(_, dot)| bits & *dot != 0)
                    .map(move |(row, _)| (x + column as f32 * wide, y + row as f32 * high))
            });
            dots.map(|(x, y)| rectangle(x, y, wide - 0.8, high - 0.8)).collect()
        }
        _ => String::new(),
    }
}

/// The texts between wide gaps, with the position of each.
fn words(run: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut gap = 2;
    for (at, letter) in run.chars().enumerate() {
        if letter == ' ' || is_shape(letter) {
            gap += if letter == ' ' { 1 } else { 2 };
            continue;
        }
        match words.last_mut().filter(|_| gap < 2) {
            Some((_, word)) => word.push_str(&" ".repeat(gap)),
            None => words.push((at, String::new())),
        }
        if let Some((_, word)) = words.last_mut() {
            word.push(letter);
        }
        gap = 0;
    }
    words
}

impl Style {
    /// Applies the numbers of an SGR sequence.
    fn apply(&mut self, codes: &str) {
        let mut numbers = codes.split(';').map(|code| code.parse::<usize>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                2 => self.is_dim = true,
                7 => self.is_reversed = true,
                22 => (self.is_bold, self.is_dim) = (false, false),
                27 => self.is_reversed = false,
                30..=37 => self.colour = Some(SIXTEEN[number - 30].to_owned()),
                90..=97 => self.colour = Some(SIXTEEN[number - 82].to_owned()),
                40..=47 => self.ground = Some(SIXTEEN[number - 40].to_owned()),
                38 => self.colour = colour(&mut numbers),
                48 => self.ground = colour(&mut numbers),
                39 => self.colour = None,
                49 => self.ground = None,
                _ => {}
            }
        }
    }
}

/// The colour after 38 or 48: `5;n` or `2;r;g;b`.
fn colour(numbers: &mut impl Iterator<Item = usize>) -> Option<String> {
    match numbers.next()? {
        5 => SIXTEEN.get(numbers.next()?).map(|colour| (*colour).to_owned()),
        2 => {
            let [red, green, blue] = [numbers.next()?, numbers.next()?, numbers.next()?];
            Some(format!("#{red:02x}{green:02x}{blue:02x}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_the_terminal_are_those_of_the_picture() {
        let svg = draw("a\u{1b}[1;38;2;255;0;16mb<\u{1b}[0m \u{1b}[7;35mc\u{1b}[0m", 10, 2);
        assert!(svg.contains("fill=\"#ff0010\"") && svg.contains("font-weight=\"bold\">b&lt;<"));
        let reversed = format!("fill=\"{}\"/>", SIXTEEN[5]);
        assert!(svg.contains(&reversed), "{svg}");
        assert_eq!(words("a b   c█d"), [(0, "a b".into()), (6, "c".into()), (8, "d".into())]);
        assert!(shape('⣿', 0.0, 0, 0.0).matches('z').count() == 8);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
