//! Reads the systemd unit, the container and the pod from the path of a cgroup. Owns the naming conventions
//! of systemd, of container runtimes and of Kubernetes; refuses to read files.

/// The parts of a path.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The outermost systemd service or scope that is not a container's.
    pub(super) unit: Option<String>,
    /// The innermost container's id.
    pub(super) container: Option<String>,
    /// The runtime, if the path names it.
    pub(super) runtime: Option<&'static str>,
    /// The pod's UID.
    pub(super) pod: Option<String>,
}

/// Prefixes of the scopes and folders of a container, with the runtime that uses them.
const RUNTIMES: [(&str, &str); 8] = [
    ("docker-", "docker"),
    ("libpod-", "podman"),
    ("cri-containerd-", "containerd"),
    ("crio-", "cri-o"),
    ("nerdctl-", "containerd"),
    ("lxc.payload.", "lxc"),
    ("lxc-payload.", "lxc"),
    ("nspawn-", "systemd-nspawn"),
];
/// Folders in which every folder belongs to a container.
const PARENTS: [(&str, &str); 2] = [("docker", "docker"), ("lxc", "lxc")];

/// Reads a path relative to the root of the hierarchy.
pub(super) fn read(path: &str) -> Place {
    let mut place = Place::default();
    let mut parent = "";
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if let Some(uid) = pod_uid(part) {
            place.pod = Some(uid);
        } else if let Some((id, runtime)) = container(part, parent, place.pod.is_some()) {
            place.container = Some(id.to_owned());
            place.runtime = runtime.or(place.runtime);
        } else if place.unit.is_none() && is_unit(part) {
            place.unit = Some(unescaped(part));
        }
        parent = part;
    }
    place
}

fn is_unit(part: &str) -> bool {
    // A user's units are inside one of the system's units, which is less specific.
    let is_of_users = part.starts_with("user@") || part.starts_with("init.scope");
    !is_of_users && (part.ends_with(".service") || part.ends_with(".scope"))
}

/// `pod<uid>`, `kubepods-pod<uid>.slice`, `kubepods-burstable-pod<uid>.slice`.
fn pod_uid(part: &str) -> Option<String> {
    let rest = part.strip_suffix(".slice").unwrap_or(part);
    let uid = match rest.strip_prefix("kubepods-") {
        Some(rest) => rest.rsplit_once("pod").map(|(_, uid)| uid)?,
        None => rest.strip_prefix("pod")?,
    };
    let uid = uid.replace('_', "-");
    let is_uid =
        uid.len() >= 32 && uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_uid.then_some(uid)
}

fn container<'p>(
    part: &'p str,
    parent: &str,
    is_in_pod: bool,
) -> Option<(&'p str, Option<&'static str>)> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in RUNTIMES {
        let Some(id) = name.strip_prefix(prefix) else { continue };
        // The monitor of a podman or CRI-O container is beside it: `libpod-conmon-<id>.scope`.
        return (!id.is_empty() && !id.starts_with("conmon-")).then_some((id, Some(runtime)));
    }
    let of_parent = PARENTS.into_iter().find(|(folder, _)| *folder == parent);
    match of_parent {
        Some((_, runtime)) => Some((name, Some(runtime))),
        None => {
            (is_hexadecimal_id(name) && (is_in_pod || !parent.is_empty())).then_some((name, None))
        }
    }
}

/// 64 hexadecimal digits: all runtimes that run images name containers so.
fn is_hexadecimal_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// systemd writes `\x2d` for a dash that is part of a name.
fn unescaped(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        text.push_str(before);
        let number = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match number {
            Some(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => text.push_str(rest.get(before.len()..before.len() + 4).unwrap_or_default()),
        }
        rest = after.get(2..).unwrap_or_default();
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "3c5b1c0a-1f52-4a2b-9d77-0a4a8e0f3c11";

    fn place(path: &str) -> [Option<String>; 4] {
        let Place { unit, container, runtime, pod } = read(
            &path.replace("UID_", &UID.replace('-', "_")).replace("UID", UID).replace("ID", ID),
        );
        [unit, container, runtime.map(str::to_owned), pod]
    }

    fn some(text: &str) -> Option<String> {
        Some(text.replace("ID", ID))
    }

    #[test]
    fn paths_are_read_as_each_project_writes_them() {
        let uid = || Some(UID.to_owned());
        let cases = [
            ("/system.slice/nginx.service", [some("nginx.service"), None, None, None]),
            ("/system.slice/nginx.service/worker", [some("nginx.service"), None, None, None]),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-a\\x2db.scope",
                [some("app-a-b.scope"), None, None, None],
            ),
            ("/system.slice/docker-ID.scope", [None, some("ID"), some("docker"), None]),
            ("/docker/ID", [None, some("ID"), some("docker"), None]),
            ("/machine.slice/libpod-ID.scope/container", [None, some("ID"), some("podman"), None]),
            ("/libpod_parent/libpod-ID", [None, some("ID"), some("podman"), None]),
            (
                "/machine.slice/libpod-conmon-ID.scope",
                [some("libpod-conmon-ID.scope"), None, None, None],
            ),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/cri-containerd-ID.scope",
                [None, some("ID"), some("containerd"), uid()],
            ),
            (
                "/kubepods.slice/kubepods-podUID_.slice/crio-ID.scope",
                [None, some("ID"), some("cri-o"), uid()],
            ),
            ("/kubepods/besteffort/podUID/ID", [None, some("ID"), None, uid()]),
            (
                "/system.slice/docker-ID.scope/system.slice/inner.service",
                [some("inner.service"), some("ID"), some("docker"), None],
            ),
            ("/lxc.payload.web", [None, some("web"), some("lxc"), None]),
            ("/podcast.slice", [None, None, None, None]),
            ("/", [None, None, None, None]),
            ("/init.scope", [None, None, None, None]),
        ];
        for (path, expected) in cases {
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn no_path_makes_it_panic() {
        for path in [
            "\\x",
            "a\\x",
            "a\\x2",
            "\\xé.service",
            "a\\xzz.service",
            "docker/",
            "pod",
            "kubepods-",
        ] {
            drop(read(path));
            drop(read(&format!("{path}.service")));
        }
    }
}
