//! Checks of the tree that began as review remarks. Owns rules that no linter has; each finding has a file, a
//! line and what to do. Ignores everything that is not source: build output, hidden folders and captures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{shell, workspace};

/// The most lines of a file before its tests.
const LONGEST: usize = 500;
/// Assembled, so that this file does not find itself.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const SLEEP: &str = concat!("sleep", "(");
const TEXTS: [&str; 7] = ["rs", "md", "toml", "sh", "yaml", "yml", "json"];

/// One text file, its path relative to the root.
struct File {
    path: PathBuf,
    text: String,
}

pub(crate) fn tidy() -> Result<()> {
    let root = workspace::root();
    let mut findings = Vec::new();
    for path in texts(&root)? {
        let full = root.join(&path);
        let text =
            fs::read_to_string(&full).with_context(|| format!("reading {}", full.display()))?;
        check(&File { path, text }, &root, &mut findings);
    }
    findings.iter().for_each(shell::say);
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

fn check(file: &File, root: &Path, findings: &mut Vec<String>) {
    match file.extension() {
        "rs" => {
            findings.extend(opening(file));
            findings.extend(length(file));
            findings.extend(sleeping(file));
        }
        "md" => findings.extend(broken_links(file, root)),
        "toml" => findings.extend(any_version(file)),
        _ => {}
    }
    if file.extension() != "json" {
        findings.extend(unfinished(file));
    }
}

impl File {
    fn extension(&self) -> &str {
        extension(&self.path)
    }

    fn finding(&self, line: usize, remark: &str) -> String {
        format!("{}:{line}: {remark}", self.path.display())
    }

    /// The numbers, from 1, of the lines that `is_bad` picks, each with the remark.
    fn findings(&self, remark: &str, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
        let numbered = self.text.lines().enumerate().filter(|(_, line)| is_bad(line));
        numbered.map(|(at, _)| self.finding(at + 1, remark)).collect()
    }
}

fn opening(file: &File) -> Option<String> {
    let remark = "open with a //! comment: what the file owns and what it refuses";
    (!file.text.starts_with("//!")).then(|| file.finding(1, remark))
}

fn length(file: &File) -> Option<String> {
    let before_tests = file.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = before_tests.lines().count();
    let remark = format!("{lines} lines before the tests; split it at {LONGEST}");
    (lines > LONGEST).then(|| file.finding(LONGEST, &remark))
}

fn sleeping(file: &File) -> Vec<String> {
    // The laboratory waits in one place.
    if !file.path.starts_with("tests") || file.path.starts_with("tests/src/lab") {
        return Vec::new();
    }
    file.findings("tests wait on conditions (lab::wait_until); they never sleep", |line| {
        line.contains(SLEEP)
    })
}

fn any_version(file: &File) -> Vec<String> {
    let is_manifest = file.path.ends_with("Cargo.toml");
    let remark = "name the version: any at all would be accepted";
    file.findings(remark, |line| is_manifest && line.contains(r#"= "*""#))
}

fn unfinished(file: &File) -> Vec<String> {
    let is_bad = |line: &str| UNFINISHED.iter().any(|word| line.contains(word));
    file.findings("finish it, or write an issue", is_bad)
}

/// Links to missing files of the repository; code blocks are skipped.
fn broken_links(file: &File, root: &Path) -> Vec<String> {
    let folder = root.join(&file.path).parent().map_or(root.to_owned(), Path::to_owned);
    let (mut findings, mut in_code) = (Vec::new(), false);
    for (at, line) in file.text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        let broken = links(line).filter(|link| !in_code && !folder.join(link).exists());
        findings.extend(broken.map(|link| {
            file.finding(at + 1, &format!("links to {link}, which is not in the repository"))
        }));
    }
    findings
}

/// The local targets of `[text](target#anchor)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':'))
}

/// All text files below the root, by path.
fn texts(root: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut found) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            match path {
                path if is_ignored(&path) => {}
                path if path.is_dir() => folders.push(path),
                path => found.extend(path.strip_prefix(root).ok().map(Path::to_owned)),
            }
        }
    }
    found.retain(|path| TEXTS.contains(&extension(path)));
    found.sort();
    Ok(found)
}

fn is_ignored(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "target" || name.starts_with('.') || path.is_symlink()
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let file = File { path: path.into(), text: text.to_owned() };
        check(&file, Path::new("."), &mut found);
        found
    }

    #[test]
    fn a_good_file_has_no_findings() {
        let text = format!("//! Owns.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(600));
        assert_eq!(findings("agent/a.rs", &text), [""; 0]);
    }

    #[test]
    fn each_rule_finds() {
        assert!(findings("a.rs", "use x;\n")[0].contains("a.rs:1: open with"));
        let long = format!("//!\n{}", "\n".repeat(LONGEST));
        assert!(findings("a.rs", &long)[0].contains("501 lines"));
        let sleep = format!("//!\nthread::{SLEEP}x)\n");
        assert!(findings("tests/tests/a.rs", &sleep)[0].contains("a.rs:2: tests wait"));
        assert_eq!(findings("tests/src/lab/a.rs", &sleep), [""; 0]);
        assert_eq!(findings("x/Cargo.toml", "a = \"*\"\nb = \"1\"\n").len(), 1);
        assert_eq!(findings("a.toml", &format!("# {}", UNFINISHED[0])).len(), 1);
    }

    #[test]
    fn links_are_followed() {
        let text = "[a](Cargo.toml#x) [b](https://x) [c](none.md)\n```\n[d](gone)\n```\n[e](#f)\n";
        assert_eq!(
            findings("a.md", text),
            ["a.md:1: links to none.md, which is not in the repository"]
        );
    }
}
