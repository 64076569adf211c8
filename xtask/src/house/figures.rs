//! Measures the sources: lengths of functions and files, and the share of comments. Owns how these are
//! measured.

use std::fmt;

use proc_macro2::{Delimiter, TokenTree};

use super::source::Source;

/// Lengths in lines.
pub(super) struct Figures {
    /// Lengths of all functions' bodies, sorted.
    functions: Vec<usize>,
    longest_function: String,
    longest_file: (usize, String),
    lines: usize,
    comments: usize,
}

impl Figures {
    pub(super) fn of(sources: &[Source]) -> Self {
        let mut functions: Vec<_> = sources
            .iter()
            .flat_map(|source| {
                let path = source.path.display().to_string();
                bodies(&source.tokens)
                    .into_iter()
                    .map(move |(lines, name)| (lines, name, path.clone()))
            })
            .collect();
        functions.sort();
        let longest = functions.last().map(|(_, name, path)| format!("{name} in {path}"));
        let files = sources.iter().map(|source| {
            let before_tests = source.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
            (before_tests.lines().count(), source.path.display().to_string())
        });
        let lines = || sources.iter().flat_map(|source| source.text.lines()).map(str::trim);
        Self {
            functions: functions.into_iter().map(|(lines, ..)| lines).collect(),
            longest_function: longest.unwrap_or_default(),
            longest_file: files.max().unwrap_or_default(),
            lines: lines().filter(|line| !line.is_empty()).count(),
            comments: lines().filter(|line| line.starts_with("//")).count(),
        }
    }

    /// The length that this share of the functions does not exceed.
    fn quantile(&self, share: f64) -> usize {
        let at = (self.functions.len() as f64 * share).ceil() as usize;
        self.functions.get(at.saturating_sub(1)).copied().unwrap_or(0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, file) = &self.longest_file;
        write!(
            f,
            "{} functions: median {}, p90 {}, p99 {}, longest {} lines ({}); longest file {length} \
             lines ({file}); {} lines, {:.0} % comments",
            self.functions.len(),
            self.quantile(0.5),
            self.quantile(0.9),
            self.quantile(0.99),
            self.quantile(1.0),
            self.longest_function,
            self.lines,
            100.0 * self.comments as f64 / self.lines.max(1) as f64,
        )
    }
}

/// Every function with a body: the number of its lines, without the braces, and its name.
fn bodies(tokens: &[TokenTree]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut name = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "fn" => {
                name = tokens.get(at + 1).filter(|next| matches!(next, TokenTree::Ident(_)));
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => name = None,
            TokenTree::Group(group) => {
                let is_body = group.delimiter() == Delimiter::Brace;
                if let Some(name) = name.take_if(|_| is_body) {
                    let lines = group.span_close().start().line - group.span_open().start().line;
                    found.push((lines.saturating_sub(1), name.to_string()));
                }
                found.extend(bodies(&group.stream().into_iter().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::imports::tests::sources;
    use super::*;

    #[test]
    fn functions_are_measured_wherever_they_stand() {
        let text =
            "fn one() {\n1;\n2;\n}\nimpl X {\nfn two(&self) -> [u8; 2] {\n3\n}\nfn no();\n}\n";
        let figures = Figures::of(&sources(&[("a.rs", text)]));
        assert_eq!(figures.functions, [1, 2]);
        assert_eq!(figures.longest_function, "one in a.rs");
    }
}
