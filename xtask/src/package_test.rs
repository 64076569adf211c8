//! `test package`: tests the Debian package on a real system. Owns the machine: a small Debian that
//! debootstrap makes once, booted with its own systemd by systemd-nspawn, and always stopped at the end.
//!
//! The package is installed, counts as its own user, is reloaded, hung, killed and restarted, upgraded and
//! purged. Each of these is checked on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::setup::{Need, setup};
use crate::{dist, privilege, shell, workspace};

/// The release that packages are tested on.
const SUITE: &str = "bookworm";
/// Additional packages: also the package's dependencies, as the machine has no network.
const INCLUDED: &str = "systemd,systemd-sysv,iproute2,adduser,libpcap0.8";
/// How long anything on the machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An interface that the default route leads to.
const NETWORK: &str = "ip link add wan0 type veth peer name wan1 && ip addr add 192.0.2.1/24 dev wan0 \
                       && ip link set wan0 up && ip link set wan1 up && ip route add default via 192.0.2.2";
/// Settings for a watchdog and a restart that take seconds instead of a minute.
const QUICK: &str = "mkdir -p /run/systemd/system/wherefore.service.d && \
                     printf '[Service]\\nWatchdogSec=3s\\nRestartSec=200ms\\n' \
                     > /run/systemd/system/wherefore.service.d/quick.conf && systemctl daemon-reload \
                     && systemctl restart wherefore";
/// Finds files that the package left behind, except those that the test brought.
const LEFT: &str = "find / -xdev -iname '*wherefore*' -not -path '/proc/*' -not -path '/root/*' \
                    -not -path '/run/systemd/system/*'; getent passwd wherefore; getent group wherefore; true";

pub(crate) fn test(no_build: bool) -> Result<()> {
    ensure!(privilege::is_root(), "booting a machine takes root");
    setup(Need::Machine)?;
    let nspawn = shell::require("systemd-nspawn", "to boot a machine")?;
    let first = dist::debian(no_build, 1)?;
    let second = dist::debian(true, 2)?;
    let machine = Machine::boot(&nspawn, &[&first, &second])?;
    machine.run(NETWORK)?;
    install(&machine, &first)?;
    reload(&machine)?;
    hang_and_kill(&machine)?;
    upgrade(&machine, &second)?;
    purge(&machine)
}

fn install(machine: &Machine, package: &Path) -> Result<()> {
    machine.run(&format!("dpkg -i /root/{}", name(package)))?;
    machine.wait("it counts", "systemctl is-active wherefore && systemctl is-enabled wherefore")?;
    let status = machine.run("systemctl show wherefore -p StatusText -p User")?;
    ensure!(status.contains("on wan0") && status.contains("User=wherefore"), "{status}");
    let user = machine.run("stat -c %U /proc/$(systemctl show wherefore -p MainPID --value)")?;
    ensure!(user.trim() == "wherefore", "it runs as {user}");
    let log = machine.run("journalctl -u wherefore -o cat --no-pager")?;
    ensure!(log.contains("counting source="), "{log}");
    ensure!(!log.contains("cannot restrict system calls"), "the unit refuses the sandbox:\n{log}");
    let modes =
        machine.run("stat -c '%a %U %G' /run/wherefore/view.sock /etc/wherefore/wherefore.toml")?;
    ensure!(modes == "660 wherefore wherefore\n640 root wherefore\n", "{modes}");
    machine.run("systemctl try-restart wherefore && wherefore config check")?;
    shell::say("package: installed, and counting as its own user");
    Ok(())
}

fn reload(machine: &Machine) -> Result<()> {
    let before = machine.process()?;
    machine.run("echo 'top = 3' >> /etc/wherefore/wherefore.toml && systemctl reload wherefore")?;
    machine.wait(
        "it has read its options",
        "journalctl -u wherefore -o cat | grep -q 'reloaded the configuration'",
    )?;
    ensure!(machine.process()? == before, "a reload restarted the agent");
    shell::say("package: reloaded");
    Ok(())
}

fn hang_and_kill(machine: &Machine) -> Result<()> {
    machine.run(QUICK)?;
    for (signal, said) in [("STOP", "Watchdog timeout"), ("KILL", "status=9/KILL")] {
        let before = machine.process()?;
        machine.run(&format!("kill -{signal} {before}"))?;
        let is_new = format!(
            "[ $(systemctl show wherefore -p MainPID --value) != {before} ] && systemctl is-active wherefore"
        );
        machine.wait("it is started again", &is_new)?;
        let log = machine.run("journalctl -u wherefore -o cat --no-pager")?;
        ensure!(log.contains(said), "{said} is not in the log:\n{log}");
    }
    shell::say("package: ended by the watchdog, killed, and started again");
    Ok(())
}

fn upgrade(machine: &Machine, package: &Path) -> Result<()> {
    let before = machine.process()?;
    machine.run(&format!("dpkg -i /root/{}", name(package)))?;
    machine.wait("it counts", "systemctl is-active wherefore")?;
    ensure!(machine.process()? != before, "the old program still runs after an upgrade");
    let kept = machine.run("tail -n 1 /etc/wherefore/wherefore.toml")?;
    ensure!(kept == "top = 3\n", "the upgrade changed the configuration: {kept}");
    shell::say("package: upgraded, with the configuration kept");
    Ok(())
}

fn purge(machine: &Machine) -> Result<()> {
    machine.run("rm -r /run/systemd/system/wherefore.service.d && dpkg --purge wherefore")?;
    let left = machine.run(LEFT)?;
    ensure!(left.is_empty(), "the purge left:\n{left}");
    shell::say("package: purged, and nothing is left");
    Ok(())
}

fn name(package: &Path) -> String {
    package.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A machine that is up.
struct Machine {
    nspawn: Child,
    /// The machine's first process, by its number on the host.
    init: u32,
}

impl Machine {
    /// Boots a fresh copy of the small Debian, with these files in /root.
    fn boot(nspawn: &Path, files: &[&Path]) -> Result<Self> {
        let root = fresh_root()?;
        for file in files {
            fs::copy(file, root.join("root").join(name(file)))
                .with_context(|| format!("copying {}", file.display()))?;
        }
        let mut command = shell::command(nspawn);
        command.args(["--keep-unit", "--register=no", "--private-network", "--boot"]);
        command.arg("--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_RESOURCE");
        command.args(["--system-call-filter=bpf perf_event_open", "--machine=wherefore-test"]);
        command.arg("--directory").arg(&root);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let nspawn = command.spawn().context("starting systemd-nspawn")?;
        let mut machine = Self { nspawn, init: 0 };
        let start = Instant::now();
        while machine.init == 0 {
            ensure!(start.elapsed() < PATIENCE, "the machine does not start");
            machine.init = child_of(machine.nspawn.id()).unwrap_or(0);
            std::thread::sleep(Duration::from_millis(100));
        }
        machine.wait("it is up", "systemctl is-active multi-user.target")?;
        Ok(machine)
    }

    fn command(&self, script: &str) -> Command {
        let mut command = shell::command("nsenter");
        let spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];
        command.arg("--target").arg(self.init.to_string()).args(spaces);
        command.args(["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]);
        command.args(["/bin/sh", "-c", script]);
        command
    }

    /// Runs a script on the machine; returns its output.
    fn run(&self, script: &str) -> Result<String> {
        shell::output(&mut self.command(script))
    }

    /// Waits until a script succeeds on the machine.
    fn wait(&self, what: &str, script: &str) -> Result<()> {
        let start = Instant::now();
        while !shell::succeeds(&mut self.command(script)) {
            if start.elapsed() > PATIENCE {
                let log = self.run("journalctl -u wherefore -o cat -n 30 --no-pager; true")?;
                anyhow::bail!("waited in vain until {what}:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// The agent's process.
    fn process(&self) -> Result<String> {
        let shown = self.run("systemctl show wherefore -p MainPID --value")?;
        Ok(shown.trim().to_owned())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Killing its first process ends everything on the machine.
        if let Ok(init @ 1..) = i32::try_from(self.init) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(init),
                nix::sys::signal::Signal::SIGKILL,
            );
        } else {
            let _ = self.nspawn.kill();
        }
        let _ = self.nspawn.wait();
    }
}

/// The process that another process has started.
fn child_of(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// A copy of the small Debian, which is made first if necessary.
fn fresh_root() -> Result<PathBuf> {
    let folder = workspace::target().join("machines");
    let (pristine, root) = (folder.join(SUITE), folder.join("package"));
    if !pristine.is_dir() {
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let unfinished = folder.join("unfinished");
        remove(&unfinished)?;
        shell::say(format!("making a small Debian in {} (minutes)", pristine.display()));
        let tool = shell::require("debootstrap", "to make a small Debian")?;
        let mut command = shell::command(tool);
        command.args(["--variant=minbase", &format!("--include={INCLUDED}"), SUITE]);
        shell::run(command.arg(&unfinished))?;
        fs::rename(&unfinished, &pristine).context("keeping the small Debian")?;
    }
    remove(&root)?;
    shell::run(shell::command("cp").arg("-a").args([&pristine, &root]))?;
    Ok(root)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}
