//! Checks that no target panics with the seeds or with inputs of earlier crashes (`corpus/`).

use std::fs;
use std::path::Path;
use std::thread;

use wherefore_fuzz::{TARGETS, Target, seeds};

/// Runs in a thread of its own, because one of the targets leaves the network namespace.
fn run_all(target: &str, run: Target, inputs: Vec<Vec<u8>>) {
    let done = thread::spawn(move || inputs.iter().for_each(|input| run(input))).join();
    assert!(done.is_ok(), "{target}");
}

#[test]
fn seeds_and_earlier_crashes_cause_no_failure() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, run) in TARGETS {
        let mut inputs = seeds::of(target).unwrap_or_else(|error| panic!("{target}: {error:#}"));
        assert!(!inputs.is_empty(), "{target} has no seeds");
        let failed = fs::read_dir(corpus.join(target)).into_iter().flatten();
        let paths = failed.map(|file| file.expect("a file").path());
        inputs.extend(paths.map(|path| fs::read(path).expect("its content")));
        run_all(target, run, inputs);
    }
    wherefore_fuzz::remove_scratch();
}
