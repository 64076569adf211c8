//! The modules that a kernel needs for the tests, unpacked and in the order in which they are loaded. There is
//! no module for a feature that is built in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection};

use crate::shell;

/// Devices, queues, and the lists of sockets.
const WANTED: [&str; 8] =
    ["veth", "8021q", "sch_ingress", "cls_bpf", "inet_diag", "tcp_diag", "udp_diag", "dummy"];
/// All kinds of devices of `tests/tests/live/kinds`, and the ciphers of MACsec and IPsec.
const KINDS: &[&str] = &[
    "bridge",
    "bonding",
    "macvlan",
    "macvtap",
    "ipvlan",
    "ipvtap",
    "vxlan",
    "geneve",
    "ip_gre",
    "ip6_gre",
    "ipip",
    "sit",
    "ip6_tunnel",
    "fou",
    "ip_vti",
    "ip6_vti",
    "xfrm_interface",
    "xfrm_user",
    "esp4",
    "esp6",
    "wireguard",
    "vrf",
    "nlmon",
    "netkit",
    "l2tp_eth",
    "l2tp_ip",
    "l2tp_netlink",
    "macsec",
    "hsr",
    "ctr",
    "gcm",
    "seqiv",
    "echainiv",
    "ghash_generic",
    "aes_generic",
];

/// Writes the modules to a folder, with names that sort in their order.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    let mut files = BTreeMap::new();
    find(&from.join("kernel"), &mut files)?;
    let mut ordered = Vec::new();
    for name in WANTED.iter().chain(KINDS) {
        add(name, &files, &mut ordered)?;
    }
    for (number, (name, module)) in ordered.iter().enumerate() {
        let path = to.join(format!("{number:03}-{name}.ko"));
        fs::write(&path, module).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// All modules by their names, in which `-` and `_` are the same.
fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if let Some((name, _)) = file_name(&path).split_once(".ko") {
            files.insert(name.replace('-', "_"), path.clone());
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Adds a module after its dependencies.
fn add(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    ordered: &mut Vec<(String, Vec<u8>)>,
) -> Result<()> {
    let name = name.replace('-', "_");
    let is_there = ordered.iter().any(|(other, _)| *other == name);
    let Some(path) = files.get(&name).filter(|_| !is_there) else { return Ok(()) };
    let module = unpacked(path)?;
    for other in depends(&module).with_context(|| format!("reading {}", path.display()))? {
        add(&other, files, ordered)?;
    }
    ordered.push((name, module));
    Ok(())
}

fn unpacked(path: &Path) -> Result<Vec<u8>> {
    let program = match path.extension().and_then(|end| end.to_str()) {
        Some("ko") => {
            return fs::read(path).with_context(|| format!("reading {}", path.display()));
        }
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => bail!("{} is packed in an unknown format", path.display()),
    };
    let output = shell::command(program).arg("-dc").arg(path).output();
    let output = output.with_context(|| format!("starting {program}"))?;
    anyhow::ensure!(output.status.success(), "{program} cannot unpack {}", path.display());
    Ok(output.stdout)
}

/// The dependencies, from the module's description.
fn depends(module: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(module)?;
    let section = file.section_by_name(".modinfo").context("it has no description")?;
    let lines = section.data()?.split(|byte| *byte == 0);
    let depends = lines.filter_map(|line| line.strip_prefix(b"depends=")).next();
    let depends = String::from_utf8_lossy(depends.unwrap_or_default()).into_owned();
    Ok(depends.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}
