//! A source file as tokens. Owns reading files, their module paths, and which tokens count: unit tests at the
//! end of a file do not.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

/// One file.
pub(super) struct Source {
    /// Relative to the folder of the sources.
    pub(super) path: PathBuf,
    /// Its module, from the root of the crate: `["detect", "series"]`.
    pub(super) module: Vec<String>,
    pub(super) text: String,
    /// Without the unit tests.
    pub(super) tokens: Vec<TokenTree>,
}

impl Source {
    /// All files below a folder, by path.
    ///
    /// # Errors
    /// If one can't be read, or is not Rust.
    pub(super) fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let (mut folders, mut sources) = (vec![folder.to_owned()], Vec::new());
        while let Some(next) = folders.pop() {
            let entries =
                fs::read_dir(&next).with_context(|| format!("listing {}", next.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path)
                        .with_context(|| format!("reading {}", path.display()))?;
                    sources.push(Self::new(path.strip_prefix(folder)?, text)?);
                }
            }
        }
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(sources)
    }

    /// # Errors
    /// If the text is not Rust.
    pub(super) fn new(path: &Path, text: String) -> Result<Self> {
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let tokens = without_tests(tokens.into_iter().collect());
        Ok(Self { path: path.to_owned(), module: module(path), text, tokens })
    }

    /// The file or folder of the first level, which is its layer.
    pub(super) fn layer(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

fn module(path: &Path) -> Vec<String> {
    let without = path.with_extension("");
    let mut module: Vec<_> =
        without.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Removes `#[cfg(test)] mod …`, because unit tests may import anything.
fn without_tests(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_attribute = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#');
        let is_test = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.to_string().replace(' ', "") == "[cfg(test)]");
        if !is_attribute || !rest.peek().is_some_and(is_test) {
            kept.push(token);
            continue;
        }
        // The item ends with its block or its semicolon.
        rest.next();
        let ends = |token: &TokenTree| match token {
            TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::Brace,
            TokenTree::Punct(mark) => mark.as_char() == ';',
            _ => false,
        };
        let _ = rest.by_ref().find(ends);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_by_their_path() {
        let named = |path: &str| module(Path::new(path)).join("::");
        assert_eq!(named("lib.rs"), "");
        assert_eq!(named("detect/mod.rs"), "detect");
        assert_eq!(named("detect/series/rings.rs"), "detect::series::rings");
    }
}
