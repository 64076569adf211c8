//! Finds import cycles of files and of folders. Owns how they are found and described.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Graph;

/// Names, each with the names that it imports.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// A line for each group of files that import each other, and for each group of neighbouring folders that do.
pub(super) fn findings(graph: &Graph) -> Vec<String> {
    let file = |module: &String| graph.files.get(module).cloned().unwrap_or_default();
    let of_files = cycles(&edges_of_files(graph));
    let mut findings: Vec<_> = of_files
        .iter()
        .map(|cycle| describe("files", &cycle.iter().map(file).collect::<Vec<_>>()))
        .collect();
    for edges in edges_of_folders(graph).values() {
        let of_folders = cycles(edges).into_iter().filter(|cycle| !of_files.contains(cycle));
        findings.extend(of_folders.map(|cycle| describe("folders", &cycle)));
    }
    findings
}

fn describe(what: &str, cycle: &[String]) -> String {
    let first = cycle.first().map_or("", String::as_str);
    format!(
        "{first}: these {what} import each other in a circle: {} -> {first}; move what they share \
         into a file that imports neither",
        cycle.join(" -> ")
    )
}

fn edges_of_files(graph: &Graph) -> Edges {
    let mut edges = Edges::new();
    for (from, to) in graph.edges.keys() {
        edges.entry(from.clone()).or_default().insert(to.clone());
    }
    edges
}

/// The imports between the files and subfolders of each folder.
fn edges_of_folders(graph: &Graph) -> BTreeMap<String, Edges> {
    let mut folders: BTreeMap<String, Edges> = BTreeMap::new();
    for (from, to) in graph.edges.keys() {
        let from: Vec<_> = from.split("::").collect();
        let to: Vec<_> = to.split("::").collect();
        let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
        // A folder and its own `mod.rs` are compared as files.
        if shared >= from.len() || shared >= to.len() {
            continue;
        }
        let folder = from[..shared].join("::");
        let [from, to] = [&from, &to].map(|path| path[..=shared].join("::"));
        folders.entry(folder).or_default().entry(from).or_default().insert(to);
    }
    folders
}

/// For each group with cycles, one shortest cycle through its first member.
fn cycles(edges: &Edges) -> Vec<Vec<String>> {
    let mut known: BTreeSet<&String> = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if known.contains(start) {
            continue;
        }
        if let Some(cycle) = shortest(edges, start) {
            let ahead = reached(edges, start);
            known.extend(ahead.into_iter().filter(|name| reached(edges, name).contains(start)));
            found.push(cycle);
        }
    }
    found
}

fn reached<'a>(edges: &'a Edges, start: &'a String) -> BTreeSet<&'a String> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(name) = next.pop() {
        let unseen = edges.get(name).into_iter().flatten().filter(|to| seen.insert(*to));
        next.extend(unseen.collect::<Vec<_>>());
    }
    seen
}

/// The shortest path from a name back to itself, by breadth-first search.
fn shortest(edges: &Edges, start: &String) -> Option<Vec<String>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            for to in edges.get(*way.last()?).into_iter().flatten() {
                if to == start {
                    return Some(way.iter().map(|name| (*name).clone()).collect());
                }
                if seen.insert(to) {
                    longer.push(way.iter().copied().chain([to]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::imports::tests::sources;
    use super::*;

    fn of(files: &[(&str, &str)]) -> Vec<String> {
        findings(&Graph::of(&sources(files)))
    }

    #[test]
    fn a_planted_cycle_of_files_is_found() {
        let files = [
            ("a/mod.rs", "mod one; mod two;"),
            ("a/one.rs", "use super::two::X;"),
            ("a/two.rs", "use crate::a::one::Y;"),
            ("b.rs", "use crate::a::one::Y;"),
        ];
        let found = of(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a/one.rs -> a/two.rs -> a/one.rs"), "{found:?}");
    }

    #[test]
    fn a_planted_cycle_of_folders_is_found_though_no_file_is_in_one() {
        let files = [
            ("a/mod.rs", ""),
            ("a/up.rs", "use crate::b::down::X;"),
            ("a/low.rs", ""),
            ("b/mod.rs", ""),
            ("b/down.rs", "use crate::a::low::X;"),
        ];
        let found = of(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("folders import each other in a circle: a -> b -> a"));
    }

    #[test]
    fn a_door_and_one_way_imports_are_no_cycle() {
        let files = [
            ("a/mod.rs", "mod one; mod two; pub use one::X;"),
            ("a/one.rs", ""),
            ("a/two.rs", "use super::X;"),
            ("b.rs", "use crate::a::X;"),
        ];
        assert_eq!(of(&files), [""; 0]);
    }
}
