//! The names of containers and pods, from the state files of runtimes and the kubelet. Owns the locations of
//! these files; asks no daemon. A container whose files this agent may not read has no name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::traffic::who::{Container, Pod};

/// The most containers and pods that are remembered. Beyond that, all are forgotten and looked up again.
const MOST: usize = 4096;
/// Larger state files are not read.
const MOST_BYTES: u64 = 4 << 20;

/// Names that were found, and the ids for which none was found.
#[derive(Debug, Default)]
pub(super) struct Containers {
    containers: FxHashMap<String, FoundContainer>,
}

/// Facts about a container.
#[derive(Debug, Clone)]
pub(super) struct FoundContainer {
    pub(super) container: Arc<Container>,
    pub(super) pod: Option<Arc<Pod>>,
}

/// The labels from its runtime.
#[derive(Debug, Default, PartialEq, Eq)]
struct Labels {
    runtime: Option<&'static str>,
    name: Option<String>,
    pod_name: Option<String>,
    pod_namespace: Option<String>,
    pod_container: Option<String>,
}

impl Containers {
    /// Finds a container by its id; `runtime` and `pod` come from its cgroup.
    pub(super) fn find(
        &mut self,
        id: &str,
        runtime: Option<&'static str>,
        pod: Option<&str>,
    ) -> FoundContainer {
        if let Some(found) = self.containers.get(id) {
            return found.clone();
        }
        if self.containers.len() >= MOST {
            self.containers.clear();
        }
        let found = describe(Path::new("/"), id, runtime, pod);
        self.containers.insert(id.to_owned(), found.clone());
        found
    }
}

fn describe(
    root: &Path,
    id: &str,
    runtime: Option<&'static str>,
    pod: Option<&str>,
) -> FoundContainer {
    let labels = labels(root, id).unwrap_or_default();
    let text = |name: Option<String>| name.map(Arc::from);
    let pod = pod.map(|uid| {
        let (name, namespace) = match (labels.pod_name, labels.pod_namespace) {
            (Some(name), namespace) => (Some(name), namespace),
            (None, _) => pod_of_logs(root, uid),
        };
        let container = text(labels.pod_container);
        Arc::new(Pod { uid: uid.into(), name: text(name), namespace: text(namespace), container })
    });
    let runtime = runtime.or(labels.runtime).map(Arc::from);
    let container = Container { id: id.into(), runtime, name: text(labels.name) };
    FoundContainer { container: Arc::new(container), pod }
}

/// Finds a pod, for traffic of the pod itself rather than of one of its containers.
pub(super) fn pod(uid: &str) -> Pod {
    let (name, namespace) = pod_of_logs(Path::new("/"), uid);
    let text = |name: Option<String>| name.map(Arc::from);
    Pod { uid: uid.into(), name: text(name), namespace: text(namespace), container: None }
}

/// The labels from the first runtime that knows the container.
fn labels(root: &Path, id: &str) -> Option<Labels> {
    docker(root, id).or_else(|| podman(root, id)).or_else(|| containerd(root, id))
}

fn read(path: PathBuf) -> Option<Value> {
    if fs::metadata(&path).ok()?.len() > MOST_BYTES {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn docker(root: &Path, id: &str) -> Option<Labels> {
    let path = root.join("var/lib/docker/containers").join(id).join("config.v2.json");
    let config = read(path)?;
    let name = string(&config["Name"]).map(|name| name.trim_start_matches('/').to_owned());
    Some(Labels { runtime: Some("docker"), name, ..of_kubernetes(&config["Config"]["Labels"]) })
}

/// Podman, with or without root, and CRI-O use the same layout of storage.
fn podman(root: &Path, id: &str) -> Option<Labels> {
    const STORES: [&str; 2] = ["var/lib/containers/storage", "run/containers/storage"];
    for store in STORES {
        for driver in ["overlay", "vfs"] {
            let list = root.join(store).join(format!("{driver}-containers"));
            let Some(Value::Array(entries)) = read(list.join("containers.json")) else { continue };
            let Some(entry) = entries.iter().find(|entry| entry["id"] == id) else { continue };
            let metadata = string(&entry["metadata"]);
            let metadata: Value =
                metadata.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            let annotations = read(list.join(id).join("userdata/config.json")).unwrap_or_default();
            let of_pod = of_kubernetes(&annotations["annotations"]);
            let listed = entry["names"].as_array().and_then(|names| names.first()).and_then(string);
            let name = string(&metadata["name"]).or(listed);
            return Some(Labels { name, ..of_pod });
        }
    }
    None
}

/// containerd's bundles, in all of its namespaces: `k8s.io`, `moby`, `default`.
fn containerd(root: &Path, id: &str) -> Option<Labels> {
    let bundles = root.join("run/containerd/io.containerd.runtime.v2.task");
    for namespace in fs::read_dir(bundles).ok()?.flatten() {
        let Some(config) = read(namespace.path().join(id).join("config.json")) else { continue };
        let labels = of_kubernetes(&config["annotations"]);
        let name = string(&config["annotations"]["nerdctl/name"]);
        let name = name.or_else(|| labels.pod_container.clone());
        return Some(Labels { runtime: Some("containerd"), name, ..labels });
    }
    None
}

/// Reads labels of the kubelet, and annotations of containerd and CRI-O.
fn of_kubernetes(labels: &Value) -> Labels {
    let any = |names: [&str; 3]| names.iter().find_map(|name| string(&labels[*name]));
    let pod_name = any([
        "io.kubernetes.pod.name",
        "io.kubernetes.cri.sandbox-name",
        "io.kubernetes.cri-o.KubeName",
    ]);
    let pod_namespace = any([
        "io.kubernetes.pod.namespace",
        "io.kubernetes.cri.sandbox-namespace",
        "io.kubernetes.cri-o.Namespace",
    ]);
    let pod_container = any([
        "io.kubernetes.container.name",
        "io.kubernetes.cri.container-name",
        "io.kubernetes.cri-o.ContainerName",
    ]);
    Labels { pod_name, pod_namespace, pod_container, ..Labels::default() }
}

/// The kubelet names the folders of its logs `<namespace>_<name>_<uid>`.
fn pod_of_logs(root: &Path, uid: &str) -> (Option<String>, Option<String>) {
    let entries = fs::read_dir(root.join("var/log/pods")).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_suffix(uid)) else { continue };
        let parts = rest.strip_suffix('_').and_then(|rest| rest.split_once('_'));
        if let Some((namespace, name)) = parts {
            return (Some(name.to_owned()), Some(namespace.to_owned()));
        }
    }
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "3c5b1c0a-1f52-4a2b-9d77-0a4a8e0f3c11";

    struct Root(PathBuf);

    impl Root {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("containers-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn name(found: &FoundContainer) -> Option<&str> {
        found.container.name.as_deref()
    }

    #[test]
    fn names_are_found_where_each_runtime_keeps_them() {
        let root = Root::new("names");
        root.write(
            "var/lib/docker/containers/d1/config.v2.json",
            r#"{"Name":"/web","Config":{"Labels":{"a":"b"}}}"#,
        );
        root.write(
            "var/lib/containers/storage/overlay-containers/containers.json",
            r#"[{"id":"p1","names":["other"],"metadata":"{\"name\":\"backup\"}"},{"id":"p2","names":["two"]}]"#,
        );
        root.write(
            "run/containerd/io.containerd.runtime.v2.task/k8s.io/c1/config.json",
            r#"{"annotations":{"io.kubernetes.cri.sandbox-name":"api-0","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.container-name":"api"}}"#,
        );
        let docker = describe(&root.0, "d1", None, None);
        assert_eq!(
            (name(&docker), docker.container.runtime.as_deref()),
            (Some("web"), Some("docker"))
        );
        let podman = describe(&root.0, "p1", Some("podman"), None);
        assert_eq!((name(&podman), podman.pod.as_ref()), (Some("backup"), None));
        assert_eq!(name(&describe(&root.0, "p2", None, None)), Some("two"));
        let containerd = describe(&root.0, "c1", None, Some(UID));
        let pod = containerd.pod.expect("it is in a pod");
        assert_eq!((pod.name.as_deref(), pod.namespace.as_deref()), (Some("api-0"), Some("prod")));
        assert_eq!(pod.container.as_deref(), Some("api"));
        assert_eq!(name(&describe(&root.0, "none", None, None)), None);
    }

    #[test]
    fn a_pod_is_named_by_the_folder_of_its_logs() {
        let root = Root::new("logs");
        root.write(&format!("var/log/pods/kube-system_dns-1_{UID}/x"), "");
        let expected = (Some("dns-1".to_owned()), Some("kube-system".to_owned()));
        assert_eq!(pod_of_logs(&root.0, UID), expected);
        assert_eq!(pod_of_logs(&root.0, "other"), (None, None));
    }

    #[test]
    fn damaged_state_is_no_state() {
        let root = Root::new("damage");
        root.write("var/lib/docker/containers/d1/config.v2.json", "{\"Name\":");
        root.write("var/lib/containers/storage/overlay-containers/containers.json", "[1, {}]");
        assert_eq!(name(&describe(&root.0, "d1", None, None)), None);
    }
}
