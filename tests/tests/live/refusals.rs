//! Refusals of the agent, and their messages.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Run, Scratch, binary};
use wherefore_tests::lab::Lab;

/// Runs the agent as nobody, without any capability.
fn run_unprivileged(lab: &Lab, arguments: &[&str]) -> Result<Run> {
    // The user nobody may have no access to the folder of the binary.
    let directory = Scratch::new();
    fs::set_permissions(directory.path(""), fs::Permissions::from_mode(0o755))?;
    let copy = directory.path("wherefore");
    fs::copy(binary(), &copy)?;
    let mut command = lab.a.namespace.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg("--").arg(copy);
    let output =
        command.args(["run", "--duration", "9s", "-i", &lab.a.device]).args(arguments).output()?;
    Ok(output.into())
}

#[test]
fn without_privileges_the_missing_capabilities_are_named() -> Result<()> {
    let Some(lab) = Lab::or_skip("without_privileges_the_missing_capabilities_are_named")? else {
        return Ok(());
    };
    for (daq, needed) in [
        ("ebpf", &["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"][..]),
        ("libpcap", &["CAP_NET_RAW"]),
        ("auto", &["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_NET_RAW"]),
    ] {
        let run = run_unprivileged(&lab, &["--daq", daq])?;
        assert_eq!(run.code, Some(1), "{daq}: {}", run.stderr);
        for capability in needed {
            assert!(run.stderr.contains(capability), "{daq}, {capability}: {}", run.stderr);
        }
    }
    Ok(())
}

/// The kernel's records of sockets are asked for, and nothing else is used instead.
#[test]
fn attribution_by_the_kernel_is_not_replaced() -> Result<()> {
    let Some(lab) = Lab::or_skip("attribution_by_the_kernel_is_not_replaced")? else {
        return Ok(());
    };
    // Without the option, libpcap would count.
    let directory = Scratch::new();
    let object = directory.path("no-object");
    fs::write(&object, "no object")?;
    let object = object.to_str().unwrap_or_default();
    let run = |more: &[&str]| -> Result<Run> {
        let mut command = lab.a.namespace.command(binary());
        command.args(["run", "--duration", "1s", "-i", &lab.a.device, "--bpf-object", object]);
        Ok(command.args(["--attribution", "kernel"]).args(more).output()?.into())
    };
    let kernel = run(&[])?;
    assert_eq!(kernel.code, Some(1), "{}", kernel.stderr);
    assert!(kernel.stderr.contains("--attribution kernel"), "{}", kernel.stderr);
    assert!(!kernel.stderr.contains("using libpcap"), "{}", kernel.stderr);
    let libpcap = run(&["--daq", "libpcap"])?;
    assert_eq!(libpcap.code, Some(2), "{}", libpcap.stderr);
    assert!(libpcap.stderr.contains("--attribution kernel needs"), "{}", libpcap.stderr);
    Ok(())
}

#[test]
fn of_an_unknown_interface_it_lists_the_known() -> Result<()> {
    let Some(lab) = Lab::or_skip("of_an_unknown_interface_it_lists_the_known")? else {
        return Ok(());
    };
    let agent = Agent::spawn(lab.a.namespace.command(binary()), &["-i", "eth77"])?;
    let report = agent.finish()?;
    assert_eq!(report.status.code(), Some(2), "{}", report.stderr);
    for name in ["\"eth77\"", "lo", "veth-a"] {
        assert!(report.stderr.contains(name), "{name}: {}", report.stderr);
    }
    Ok(())
}
