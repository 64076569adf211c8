//! Units, pods and containers: processes in control groups that are named as systemd and the kubelet name
//! them, and a real container of runc, each with bytes of its own.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::{Host, Lab, wait_until};

use super::owners::{Server, Truth, run_all, stop};
use super::watch_every;

const PATIENCE: Duration = Duration::from_secs(10);
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const POD: &str = "3c5b1c0a-1f52-4a2b-9d77-0a4a8e0f3c11";
/// The folder of all control groups that are made here.
const SLICE: &str = "wherefore-test.slice";

/// A control group; dropping it removes it.
struct Cgroup(PathBuf);

impl Cgroup {
    fn make(path: &str) -> Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let is_unified = root.join("cgroup.controllers").exists();
        let root = if is_unified { root.to_owned() } else { root.join("unified") };
        let path = root.join(SLICE).join(path);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    /// A command that runs in it.
    fn command(&self, host: &Host, program: &str) -> Command {
        let mut command = host.namespace.command("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]);
        command.arg(self.0.join("cgroup.procs")).arg(program);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let is_gone = wait_until(PATIENCE, || fs::remove_dir(&self.0).is_ok());
        assert!(is_gone || std::thread::panicking(), "{} stays", self.0.display());
        // Up to the first parent that others need.
        let parents = self.0.ancestors().skip(1);
        let made = parents.take_while(|path| path.to_string_lossy().contains(SLICE));
        let _ = made.map(fs::remove_dir).take_while(io::Result::is_ok).count();
    }
}

/// Bytes of flows whose source has this value in a field.
fn bytes_of(flows: &[Value], field: &str, value: &str) -> u64 {
    let is_it = |flow: &&Value| flow[format!("source.{field}")] == value;
    flows.iter().filter(is_it).filter_map(|flow| flow["bytes"].as_u64()).sum()
}

/// Control groups are gone before anybody could look them up.
#[test]
fn units_and_pods_have_their_bytes() -> Result<()> {
    let Some(lab) = Lab::or_skip("units_and_pods_have_their_bytes")? else { return Ok(()) };
    let agent = watch_every("2s", &lab.a, &["--attribution", "kernel"])?;
    let mut truth = Truth::default();
    let server = Server::start(&lab.b, "one", SocketAddr::new(lab.b.v4.into(), 0), &mut truth)?;
    let pod =
        format!("kubepods-burstable-pod{}.slice/cri-containerd-{ID}.scope", POD.replace('-', "_"));
    for (path, bytes) in [("backup.service", "20000"), (&pod, "40000")] {
        let cgroup = Cgroup::make(path)?;
        let mut ask = cgroup.command(&lab.a, env!("CARGO_BIN_EXE_mover"));
        ask.args(["ask", "plain", &server.address.to_string(), bytes]);
        ask.stdin(Stdio::null()).stdout(Stdio::piped());
        run_all(vec![ask], &mut truth)?;
    }
    lab.wait_quiet()?;
    server.stop()?;
    let (flows, report) = stop(agent)?;
    let moved = |field, value| bytes_of(&flows, field, value);
    let unit = moved("wherefore.systemd.unit", "backup.service");
    assert!((20_000..30_000).contains(&unit), "{unit}: {flows:#?}\n{}", report.stderr);
    let of_pod = moved("k8s.pod.uid", POD);
    assert!((40_000..50_000).contains(&of_pod), "{of_pod}: {flows:#?}\n{}", report.stderr);
    assert_eq!(
        [moved("container.id", ID), moved("container.runtime.name", "containerd")],
        [of_pod; 2]
    );
    Ok(())
}

/// A container of runc; dropping it ends it.
struct Container {
    child: Child,
    state: PathBuf,
}

impl Container {
    /// Runs a script of bash with the network of a host, from a bundle in this directory.
    fn start(directory: &Path, host: &Host, script: &str) -> Result<Self> {
        let (bundle, state) = (directory.join("bundle"), directory.join("state"));
        fs::create_dir_all(bundle.join("rootfs"))?;
        fs::write(bundle.join("config.json"), config(host, script).to_string())?;
        let mut runc = Command::new("runc");
        runc.arg("--root").arg(&state).args(["run", "--bundle"]).arg(&bundle).arg(ID);
        runc.stdin(Stdio::null());
        let child = runc.spawn().context("starting runc")?;
        Ok(Self { child, state })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let mut delete = Command::new("runc");
        delete.arg("--root").arg(&self.state).args(["delete", "--force", ID]);
        let _ = delete.output();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration for runc: the programs of this system, in namespaces of their own.
fn config(host: &Host, script: &str) -> Value {
    let folders =
        ["/usr", "/bin", "/lib", "/lib64"].into_iter().filter(|path| Path::new(path).exists());
    let bind = |path| json!({"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]});
    let mut mounts: Vec<_> = folders.map(bind).collect();
    mounts.push(json!({"destination": "/proc", "type": "proc", "source": "proc"}));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/",
            "args": ["/usr/bin/bash", "-c", script], "env": ["PATH=/usr/bin:/bin"],
        },
        "root": {"path": "rootfs"},
        "hostname": "shop",
        "mounts": mounts,
        "annotations": {"nerdctl/name": "shop"},
        "linux": {
            "cgroupsPath": format!("/nerdctl-{ID}.scope"),
            "namespaces": [
                {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                {"type": "network", "path": host.namespace.path()},
            ],
        },
    })
}

/// An agent that finds the bundle where containerd keeps it, on a `/run` of its own.
fn watch_with_bundle(host: &Host, directory: &Path) -> Result<Agent> {
    const SCRIPT: &str = "mount -t tmpfs tmpfs /run && mkdir -p \"$1\" && cp \"$2\" \"$1\" \
                          && shift 2 && exec \"$@\"";
    let bundles = "/run/containerd/io.containerd.runtime.v2.task/default";
    let mut command = host.namespace.command("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "sh", &format!("{bundles}/{ID}")]);
    command.arg(directory.join("bundle/config.json")).arg(binary());
    let common = ["-i", &host.device, "--transfer-interval", "1s", "--attribution", "kernel"];
    Agent::started(command, &common)
}

/// Receives everything on one connection.
fn sink(host: &Host) -> Result<SocketAddr> {
    let listener = host.enter(|| TcpListener::bind((host.v4, 0)))??;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        io::copy(&mut stream.by_ref(), &mut io::sink())
    });
    Ok(address)
}

/// Seen on the other end of the container's veth, on the host.
#[test]
fn a_real_container_has_its_bytes() -> Result<()> {
    let test = "a_real_container_has_its_bytes";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    if Command::new("runc").arg("--version").output().is_err() {
        wherefore_tests::skip(test, "no runc");
        return Ok(());
    }
    let scratch = Scratch::new();
    let directory = scratch.path("container");
    let to = sink(&lab.b)?;
    // bash itself writes, and exists until everything was read: it would become the last program of its script.
    let script = format!(
        "exec 3<>/dev/tcp/{}/{}; printf %050000d 0 >&3; sleep 20; true",
        to.ip(),
        to.port()
    );
    let mut container = None;
    fs::create_dir_all(directory.join("bundle"))?;
    fs::write(directory.join("bundle/config.json"), config(&lab.a, &script).to_string())?;
    let agent = watch_with_bundle(&lab.b, &directory)?;
    let running = container.insert(Container::start(&directory, &lab.a, &script)?);
    let [path, _] = agent.outputs();
    let read = || -> Vec<Value> {
        let text = fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let is_seen = wait_until(PATIENCE, || {
        bytes_of(&read(), "container.id", ID) > 50_000
            || !matches!(running.child.try_wait(), Ok(None))
    });
    let flows = read();
    ensure!(is_seen, "not seen:\n{flows:#?}\n{}", agent.log());
    let moved = |field, value| bytes_of(&flows, field, value);
    let bytes = moved("container.id", ID);
    assert!((50_000..60_000).contains(&bytes), "{bytes}: {flows:#?}\n{}", agent.log());
    let names = [moved("container.name", "shop"), moved("process.executable.name", "bash")];
    assert_eq!(names, [bytes; 2], "{flows:#?}");
    assert_eq!(moved("container.runtime.name", "containerd"), bytes);
    agent.stop().map(drop)
}
