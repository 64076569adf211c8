//! The program itself, run from outside, and a folder for its files.
//!
//! Owns which binary is tested: the one that `WHEREFORE_BINARY` names, otherwise the one that cargo builds
//! from this tree in the profile of the tests. Refuses to judge its output.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program, built if necessary.
///
/// # Panics
/// If it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("WHEREFORE_BINARY").map_or_else(build, PathBuf::from))
}

/// Cargo does not build another package's binary for the tests; this does.
fn build() -> PathBuf {
    // The test is target/PROFILE/deps/NAME.
    let test = std::env::current_exe().expect("the test knows its own path");
    let profile = test.ancestors().nth(2).expect("a test is in target/PROFILE/deps");
    let target = profile.parent().expect("a profile is in the target directory");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "wherefore-agent", "--bin", "wherefore"]);
    cargo.arg("--target-dir").arg(target);
    cargo.args(profile.ends_with("release").then_some("--release"));
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(status.success(), "the program could not be built");
    profile.join("wherefore")
}

/// The result of a run of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self { code: output.status.code(), stdout, stderr }
    }
}

impl Run {
    /// The same run, which must have succeeded.
    ///
    /// # Panics
    /// If it failed; shows its output.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }
}

/// The program with these arguments, not yet started, without input.
pub fn command<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::null());
    without_variables_of_tests(&mut command);
    // A proxy of the developer must not take part.
    for proxy in
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    {
        command.env_remove(proxy);
    }
    command
}

/// Removes the variables of the tests, which the program does not know: it would warn about them.
pub fn without_variables_of_tests(command: &mut Command) {
    const OF_TESTS: [&str; 9] = [
        "WHEREFORE_BINARY",
        "WHEREFORE_NO_SKIP",
        "WHEREFORE_SLOWNESS",
        "WHEREFORE_ALL_KINDS",
        "WHEREFORE_SHARED",
        "WHEREFORE_BPF_OBJECT",
        "WHEREFORE_BENCH_PEERS",
        "WHEREFORE_FUZZ_PAIRS",
        "WHEREFORE_FUZZ_SEED",
    ];
    for name in OF_TESTS {
        command.env_remove(name);
    }
}

/// Runs the program to its end.
///
/// # Panics
/// If it cannot be started.
pub fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Run {
    command(arguments).output().expect("the program starts").into()
}

/// Runs the program to its end with this input.
///
/// # Panics
/// If it cannot be started.
pub fn run_with_input<I: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = I>,
    input: &[u8],
) -> Run {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    std::thread::scope(|scope| {
        // The program may end before it has read everything.
        scope.spawn(move || drop(std::io::Write::write_all(&mut stdin, input)));
        child.wait_with_output().expect("the program ends").into()
    })
}

/// Waits until a condition holds.
///
/// # Panics
/// If it does not hold after a long time.
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(crate::lab::wait_until(PATIENCE, is_so), "waited in vain until {what}");
}

/// Methods that alert about any burst, for tests that need some alert, whichever it is.
pub const METHODS: [&str; 2] = ["--anom-methods", "magnitude,diff,highrank,lowrank"];

/// A directory for one test, removed at its end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wherefore-tests-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a scratch directory can be made");
        Self(path)
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The text of a file in it.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The system cleans up the rest.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The captures with oracles, in the folder that `WHEREFORE_SHARED` names or in `../shared` of
/// the workspace; `None`, with a message, if they are absent.
pub fn shared_captures(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("WHEREFORE_SHARED").map(PathBuf::from);
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = ancestors.map(|above| above.join("shared"));
    let pcaps = named.into_iter().chain(beside).map(|shared| shared.join("pcaps"));
    let found = pcaps.into_iter().find(|pcaps| pcaps.join("manifest.tsv").is_file());
    if found.is_none() {
        crate::without_data(test, "../shared/pcaps/manifest.tsv");
    }
    found
}
