//! `test image`: the image of the container, built by buildah and run by runc with its four capabilities and a
//! read-only root. Owns the container, two network namespaces, and their removal.
//!
//! It counts what the interface counts, and reads a capture as a user without privileges.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::setup::{Need, setup};
use crate::{dist, privilege, shell, workspace};

const TAG: &str = "localhost/wherefore:test";
const CAPTURE: &str = "tests/corpus/made/quiet-then-burst.pcap.gz";
const CAPABILITIES: [&str; 4] = ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_NET_RAW"];
/// Bits of the same in /proc.
const BITS: u64 = 1 << 39 | 1 << 12 | 1 << 38 | 1 << 13;
const SPACES: [&str; 2] = ["wherefore-image-a", "wherefore-image-b"];
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn test(no_build: bool) -> Result<()> {
    ensure!(privilege::is_root(), "running a container takes root");
    setup(Need::Image)?;
    let image = Image::build(&dist::image(no_build)?)?;
    counts(&image)?;
    replays(&image)
}

fn counts(image: &Image) -> Result<()> {
    let network = Network::make()?;
    let run = ["run", "-i", "wan0", "--transfer-interval", "1s", "--duration", "6s"];
    let mut container = image.start("live", &run, 0, &CAPABILITIES, Stdio::null())?;
    let status = container.status()?;
    let mut ping = shell::command("ip");
    ping.args([
        "netns",
        "exec",
        SPACES[1],
        "ping",
        "-q",
        "-c",
        "20",
        "-i",
        "0.1",
        "-s",
        "1000",
        "192.0.2.1",
    ]);
    ensure!(shell::succeeds(&mut ping), "the container's network does not answer");
    for (field, value) in [("NoNewPrivs", 1), ("CapEff", BITS), ("CapPrm", BITS), ("CapBnd", BITS)]
    {
        let held = number(&status, field)?;
        ensure!(held & !value == 0, "{field} is {held:#x}");
    }
    let said = container.output()?;
    drop(network);
    let last = said.lines().last().context("it says nothing")?;
    let last: Value = serde_json::from_str(last).context("reading the totals")?;
    let reading = &last["interfaces"][0]["ingress"];
    let [counted, device] = ["counted_bytes", "interface_bytes"].map(|name| reading[name].as_u64());
    ensure!(counted == device && counted > Some(20 * 1000), "{reading}");
    shell::say(format!("image: counted {} bytes, as the interface", counted.unwrap_or(0)));
    Ok(())
}

fn replays(image: &Image) -> Result<()> {
    let capture = fs::File::open(workspace::root().join(CAPTURE)).context("opening a capture")?;
    let mut container =
        image.start("replay", &["replay", "-", "--alerts", "-"], 65_534, &[], capture.into())?;
    let said = container.output()?;
    ensure!(said.contains("\"kind\":\"volume\""), "no alert: {said}");
    shell::say("image: read a capture as nobody");
    Ok(())
}

/// The image, and a container of it to inspect its files.
struct Image {
    folder: PathBuf,
    container: String,
    root: PathBuf,
    entry: Vec<String>,
}

impl Image {
    fn build(context: &Path) -> Result<Self> {
        let folder = workspace::target().join("machines/image");
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let file = workspace::root().join("deploy/Containerfile");
        let mut build = buildah(&folder, &["build", "--isolation=chroot", "-t", TAG, "-f"]);
        shell::run(build.arg(file).arg(context))?;
        let container = shell::output(&mut buildah(&folder, &["from", TAG]))?.trim().to_owned();
        let root = shell::output(&mut buildah(&folder, &["mount", &container]))?;
        let mut inspect = buildah(&folder, &["inspect", "--type=image", TAG]);
        let said: Value = serde_json::from_str(&shell::output(&mut inspect)?)?;
        let entry = said["OCIv1"]["config"]["Entrypoint"].as_array().into_iter().flatten();
        let entry: Vec<String> = entry.filter_map(Value::as_str).map(str::to_owned).collect();
        ensure!(!entry.is_empty(), "the image has no entry point: {said}");
        Ok(Self { root: root.trim().into(), folder, container, entry })
    }

    /// Runs it with these arguments, as this user with these capabilities.
    fn start(
        &self,
        name: &str,
        arguments: &[&str],
        user: u32,
        capabilities: &[&str],
        input: Stdio,
    ) -> Result<Container> {
        let bundle = self.folder.join(name);
        fs::create_dir_all(&bundle).with_context(|| format!("making {}", bundle.display()))?;
        let command: Vec<&str> =
            self.entry.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        let config = self.config(&command, user, capabilities);
        fs::write(bundle.join("config.json"), config.to_string()).context("writing a bundle")?;
        let id = format!("wherefore-image-{name}");
        let mut runc = runc(&self.folder);
        runc.args(["run", "--bundle"]).arg(&bundle).arg(&id);
        let child = runc.stdin(input).stdout(Stdio::piped()).spawn().context("starting runc")?;
        Ok(Container { child: Some(child), folder: self.folder.clone(), id })
    }

    fn config(&self, command: &[&str], user: u32, capabilities: &[&str]) -> Value {
        let network = match user {
            0 => json!({"type": "network", "path": format!("/run/netns/{}", SPACES[0])}),
            _ => json!({"type": "network"}),
        };
        json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false, "user": {"uid": user, "gid": user}, "cwd": "/", "args": command,
                "env": ["PATH=/usr/bin"], "noNewPrivileges": true,
                "capabilities": {
                    "bounding": capabilities, "effective": capabilities, "permitted": capabilities,
                },
            },
            "root": {"path": self.root, "readonly": true},
            "hostname": "wherefore",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro", "nosuid", "nodev"]},
            ],
            "linux": {"namespaces": [
                {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, network,
            ]},
        })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        shell::succeeds(&mut buildah(&self.folder, &["umount", &self.container]));
        shell::succeeds(&mut buildah(&self.folder, &["rm", &self.container]));
        // Remaining files are in the build's folder.
        let _ = remove(&self.folder);
    }
}

/// A container that runs.
struct Container {
    child: Option<Child>,
    folder: PathBuf,
    id: String,
}

impl Container {
    /// The status of its process in /proc, once it has dropped unneeded privileges.
    fn status(&self) -> Result<String> {
        let start = Instant::now();
        loop {
            if let Ok(state) = self.state()
                && let Ok(status) = fs::read_to_string(format!("/proc/{}/status", state["pid"]))
                && status.contains("\nSeccomp:\t2")
            {
                return Ok(status);
            }
            ensure!(start.elapsed() < PATIENCE, "the container does not come up");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn state(&self) -> Result<Value> {
        let said = runc(&self.folder).args(["state", &self.id]).stderr(Stdio::null()).output();
        Ok(serde_json::from_slice(&said.context("asking runc")?.stdout)?)
    }

    /// Its standard output until it ends.
    fn output(&mut self) -> Result<String> {
        let child = self.child.take().context("it has ended")?;
        let output = child.wait_with_output().context("waiting for the container")?;
        ensure!(output.status.success(), "the container failed: {}", output.status);
        String::from_utf8(output.stdout).context("reading what the container says")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        shell::succeeds(runc(&self.folder).args(["delete", "--force", &self.id]));
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// Two namespaces, joined by wan0 and wan1.
struct Network;

impl Network {
    fn make() -> Result<Self> {
        let network = Self;
        let [a, b] = SPACES;
        for words in [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("-n {a} link add wan0 type veth peer name wan1 netns {b}"),
            format!("-n {a} addr add 192.0.2.1/24 dev wan0"),
            format!("-n {b} addr add 192.0.2.2/24 dev wan1"),
            format!("-n {a} link set wan0 up"),
            format!("-n {b} link set wan1 up"),
        ] {
            shell::run(shell::command("ip").args(words.split(' ')))?;
        }
        Ok(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for space in SPACES {
            shell::succeeds(shell::command("ip").args(["netns", "del", space]));
        }
    }
}

fn buildah(folder: &Path, arguments: &[&str]) -> Command {
    let mut buildah = shell::command("buildah");
    buildah.arg("--storage-driver=vfs");
    buildah.arg("--root").arg(folder.join("store")).arg("--runroot").arg(folder.join("run"));
    buildah.args(arguments);
    buildah
}

fn runc(folder: &Path) -> Command {
    let mut runc = shell::command("runc");
    runc.arg("--root").arg(folder.join("runc"));
    runc
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

/// A field of /proc/PID/status: hexadecimal if it is about capabilities.
fn number(status: &str, field: &str) -> Result<u64> {
    let mut values = status.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let text = values.next().with_context(|| format!("no {field} in\n{status}"))?.trim();
    u64::from_str_radix(text, 16).with_context(|| format!("{field} is {text}"))
}
