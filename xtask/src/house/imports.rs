//! Finds which file imports which. Owns finding paths in tokens, and following re-exports to the file that
//! defines a name; refuses to judge.
//!
//! A re-export (`pub use child::Name`) is not an import: it makes a name public, and an import through it
//! counts as an import of the file that defines the name.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenTree};

use super::source::Source;

/// A path in a file, from the crate's root: `crate::detect::Series`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    is_reexport: bool,
    /// The name after `as`.
    alias: Option<String>,
}

/// Files, and the files that they import, by module path; with the line of one such import.
pub(super) struct Graph {
    pub(super) files: BTreeMap<String, String>,
    pub(super) edges: BTreeMap<(String, String), usize>,
}

impl Graph {
    pub(super) fn of(sources: &[Source]) -> Self {
        let modules: BTreeSet<Vec<String>> =
            sources.iter().map(|source| source.module.clone()).collect();
        let imports: BTreeMap<&Vec<String>, Vec<Import>> =
            sources.iter().map(|source| (&source.module, imports(source, &modules))).collect();
        let mut graph = Self { files: BTreeMap::new(), edges: BTreeMap::new() };
        for source in sources {
            let name = source.module.join("::");
            graph.files.insert(name.clone(), source.path.display().to_string());
            for import in imports[&source.module].iter().filter(|import| !import.is_reexport) {
                let target = resolve(&import.path, &modules, &imports, 0).join("::");
                if target != name {
                    graph.edges.entry((name.clone(), target)).or_insert(import.line);
                }
            }
        }
        graph
    }
}

/// The module that defines the last name of a path.
fn resolve(
    path: &[String],
    modules: &BTreeSet<Vec<String>>,
    imports: &BTreeMap<&Vec<String>, Vec<Import>>,
    depth: usize,
) -> Vec<String> {
    const DEEPEST: usize = 8;
    let mut module = Vec::new();
    for name in path {
        let mut child = module.clone();
        child.push(name.clone());
        if modules.contains(&child) {
            module = child;
            continue;
        }
        let door = imports
            .get(&module)
            .and_then(|of| of.iter().find(|import| import.is_reexport && import.is_known_as(name)));
        return match door {
            Some(door) if depth < DEEPEST => resolve(&door.path, modules, imports, depth + 1),
            _ => module,
        };
    }
    module
}

impl Import {
    fn is_known_as(&self, name: &str) -> bool {
        self.alias.as_deref().or(self.path.last().map(String::as_str)) == Some(name)
    }
}

/// Every path in a file that begins in its crate.
pub(super) fn imports(source: &Source, modules: &BTreeSet<Vec<String>>) -> Vec<Import> {
    let mut found = Found { source, modules, imports: Vec::new() };
    found.look_through(&source.tokens);
    found.imports
}

struct Found<'a> {
    source: &'a Source,
    modules: &'a BTreeSet<Vec<String>>,
    imports: Vec<Import>,
}

impl Found<'_> {
    fn look_through(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        let mut is_reexport = false;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(name) if name == "use" => is_reexport = is_public(&tokens[..at]),
                TokenTree::Punct(mark) if mark.as_char() == ';' => is_reexport = false,
                TokenTree::Ident(name) if begins_path(tokens, at) => {
                    if let Some(start) = self.start(&name.to_string()) {
                        at = self.path(tokens, at + 1, start, is_reexport);
                        continue;
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.look_through(&inner);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The module in which a path with this first name begins; `None` for other crates and local names.
    fn start(&self, name: &str) -> Option<Vec<String>> {
        let here = &self.source.module;
        match name {
            "crate" => Some(Vec::new()),
            "self" => Some(here.clone()),
            "super" => Some(here[..here.len().saturating_sub(1)].to_vec()),
            _ => {
                let mut child = here.clone();
                child.push(name.to_owned());
                self.modules.contains(&child).then_some(child)
            }
        }
    }

    /// Follows a path from the `::` at `at`; returns the position after it.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        mut path: Vec<String>,
        is_reexport: bool,
    ) -> usize {
        let line = tokens[at - 1].span().start().line;
        while is_separator(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(name)) if name == "super" => {
                    path.pop();
                }
                Some(TokenTree::Ident(name)) => path.push(name.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.group(group, &path, is_reexport);
                    return at + 3;
                }
                // A glob or generic arguments: the path ends before them.
                _ => break,
            }
            at += 3;
        }
        let alias = alias(tokens, at);
        self.imports.push(Import { path, line, is_reexport, alias });
        at
    }

    /// Reads `{a, b::c, self}` after a path.
    fn group(&mut self, group: &proc_macro2::Group, path: &[String], is_reexport: bool) {
        let tokens: Vec<_> = group.stream().into_iter().collect();
        let is_comma =
            |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
        for part in tokens.split(is_comma) {
            let Some(TokenTree::Ident(name)) = part.first() else { continue };
            let mut path = path.to_vec();
            if name != "self" {
                path.push(name.to_string());
            }
            self.path(part, 1, path, is_reexport);
        }
    }
}

/// Whether a name begins a path: it is followed by `::`, and nothing before it belongs to it.
fn begins_path(tokens: &[TokenTree], at: usize) -> bool {
    let follows = at >= 2 && is_separator(tokens, at - 2);
    !follows && is_separator(tokens, at + 1)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at: usize, joint: bool| {
        matches!(tokens.get(at), Some(TokenTree::Punct(mark))
            if mark.as_char() == ':' && (!joint || mark.spacing() == Spacing::Joint))
    };
    is_colon(at, true) && is_colon(at + 1, false)
}

/// Whether the `use` after these tokens is `pub use`, `pub(crate) use` or similar.
fn is_public(before: &[TokenTree]) -> bool {
    let is_pub =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(name)) if name == "pub");
    match before.last() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            is_pub(before.iter().rev().nth(1))
        }
        last => is_pub(last),
    }
}

fn alias(tokens: &[TokenTree], at: usize) -> Option<String> {
    match (tokens.get(at), tokens.get(at + 1)) {
        (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) if word == "as" => {
            Some(name.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    /// A graph of files, each given as its path and text.
    pub(in crate::house) fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        let source = |(path, text): &(&str, &str)| Source::new(Path::new(path), (*text).to_owned());
        files.iter().map(|file| source(file).expect("Rust")).collect()
    }

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let graph = Graph::of(&sources(files));
        graph.edges.keys().map(|(from, to)| format!("{from} -> {to}")).collect()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let files = [
            ("a/mod.rs", "pub mod b; pub mod c; pub use b::B as Door; mod d;"),
            ("a/b.rs", "pub struct B; fn f() { println!(\"{}\", crate::e::x()); }"),
            ("a/c.rs", "use super::{b::{self, B}, d}; fn f() { let x = std::a::b(); }"),
            ("a/d.rs", "use super::super::e::*;"),
            ("e.rs", "use crate::a::Door; #[cfg(test)] mod tests { use crate::a::c; }"),
        ];
        assert_eq!(
            edges(&files),
            ["a::b -> e", "a::c -> a::b", "a::c -> a::d", "a::d -> e", "e -> a::b"]
        );
    }
}
