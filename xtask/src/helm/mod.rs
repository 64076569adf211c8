//! `test helm`: the Helm chart, rendered by the libraries that Helm uses, and by Helm itself if it is installed. Owns
//! the sets of values, good and bad.
//!
//! Values are checked against the chart's schema, objects against those of Kubernetes. The default is the plain
//! manifest; rules and dashboard are the files beside it.

mod cases;
mod tools;

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::setup::{Need, setup};
use crate::{shell, workspace};
use tools::{Tools, chart};

/// Labels and annotations that only a chart needs.
const OF_HELM: [&str; 6] = [
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "checksum/config",
    "checksum/secret",
];

pub(crate) fn test() -> Result<()> {
    setup(Need::Helm)?;
    let tools = Tools::make()?;
    for (name, values) in cases::good() {
        let objects = objects(&tools, name, &values).with_context(|| format!("values {name}"))?;
        real_helm(&tools, name, &values, &objects)?;
        shell::say(format!("helm: {name}: {} objects, all valid", objects.len()));
    }
    refuses_bad_values(&tools)?;
    finds_bad_objects(&tools)?;
    is_the_manifest(&tools)?;
    has_one_source(&tools)?;
    follows_the_values(&tools)
}

/// The chart's objects with these values, which must be valid.
fn objects(tools: &Tools, name: &str, values: &Value) -> Result<Vec<Value>> {
    let rendered = tools.chart(name, values)?;
    ensure!(rendered["error"].is_null(), "{}", rendered["error"]);
    let wrong = tools.wrong(&rendered)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let version = &rendered["chart"]["appVersion"];
    ensure!(*version == env!("CARGO_PKG_VERSION"), "the chart is for version {version}");
    let notes = rendered["notes"].as_str().unwrap_or_default();
    ensure!(notes.contains("kubectl -n wherefore logs"), "notes: {notes}");
    Ok(rendered["objects"].as_array().cloned().unwrap_or_default())
}

/// Helm makes the same of them, and its linter finds nothing.
fn real_helm(tools: &Tools, name: &str, values: &Value, objects: &[Value]) -> Result<()> {
    let Some(helm) = shell::find("helm") else { return Ok(()) };
    let file = tools.values(name, values)?;
    let mut lint = shell::command(&helm);
    shell::run(lint.args(["lint", "--strict"]).arg(chart()).arg("-f").arg(&file))?;
    let mut template = shell::command(&helm);
    template.args(["template", "wherefore", "-n", "wherefore"]).arg(chart()).arg("-f").arg(&file);
    let made = tools.folder().join(format!("{name}.helm.yaml"));
    fs::write(&made, shell::output(&mut template)?).context("keeping what Helm made")?;
    ensure!(
        sorted(tools.yaml(&made)?) == sorted(objects.to_vec()),
        "Helm renders {name} otherwise"
    );
    Ok(())
}

fn refuses_bad_values(tools: &Tools) -> Result<()> {
    for (reason, values) in cases::bad() {
        let rendered = tools.chart("bad", &values)?;
        let mut wrong = tools.wrong(&rendered)?;
        wrong.extend(rendered["error"].as_str().map(str::to_owned));
        let wrong = wrong.join("\n");
        ensure!(wrong.contains(reason), "{values} should be refused for {reason}, but: {wrong}");
    }
    shell::say(format!("helm: {} sets of bad values refused", cases::bad().len()));
    Ok(())
}

/// The schemas of Kubernetes are strict about a name that is misspelt.
fn finds_bad_objects(tools: &Tools) -> Result<()> {
    let mut objects = objects(tools, "default", &json!({}))?;
    let container = &mut set(&mut objects)?["spec"]["template"]["spec"]["containers"][0];
    container["readinesProbe"] = container["readinessProbe"].take();
    let wrong = tools.wrong_objects(&objects)?.join("\n");
    ensure!(wrong.contains("readinesProbe"), "a misspelt field is not found: {wrong}");
    Ok(())
}

/// By default, the chart makes the objects of deploy/daemonset.yaml, except the namespace.
fn is_the_manifest(tools: &Tools) -> Result<()> {
    let mut plain = tools.yaml(&workspace::root().join("deploy/daemonset.yaml"))?;
    let wrong = tools.wrong_objects(&plain)?;
    ensure!(wrong.is_empty(), "deploy/daemonset.yaml: {}", wrong.join("\n"));
    plain.retain(|object| object["kind"] != "Namespace");
    let mut made = objects(tools, "default", &json!({}))?;
    plain.iter_mut().chain(&mut made).for_each(without_helm);
    for (plain, made) in sorted(plain).iter().zip(&sorted(made.clone())) {
        ensure!(plain == made, "the manifest has\n{plain:#}\nand the chart\n{made:#}");
    }
    ensure!(made.len() == 3, "{} objects by default", made.len());
    shell::say("helm: the default is deploy/daemonset.yaml");
    Ok(())
}

/// Rules and dashboard are the files of deploy/, to the letter.
fn has_one_source(tools: &Tools) -> Result<()> {
    let objects = objects(tools, "all", &cases::all())?;
    let rules = tools.yaml(&workspace::root().join("deploy/prometheus-rules.yaml"))?;
    let rule = find(&objects, "PrometheusRule", "wherefore")?;
    ensure!(rules == [rule["spec"].clone()], "the rules differ: {rule:#}");
    let file = workspace::root().join("deploy/grafana-dashboard.json");
    let file = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let dashboard = &find(&objects, "ConfigMap", "wherefore-dashboard")?["data"]["wherefore.json"];
    let dashboard = dashboard.as_str().map(str::trim_end);
    ensure!(dashboard == Some(file.trim_end()), "the dashboard differs: {dashboard:?}");
    let monitor = &find(&objects, "PodMonitor", "wherefore")?["spec"];
    ensure!(*monitor == cases::monitor(), "{monitor:#}");
    shell::say("helm: rules and dashboard are those of deploy/");
    Ok(())
}

/// Each value reaches its place.
fn follows_the_values(tools: &Tools) -> Result<()> {
    let objects_of = |name, values: &Value| objects(tools, name, values);
    let (usual, all) = (objects_of("default", &json!({}))?, objects_of("all", &cases::all())?);
    let before = set_of(&usual)?;
    let set = set_of(&all)?;
    for sum in ["checksum/config", "checksum/secret"] {
        let [old, new] =
            [before, set].map(|set| &set["spec"]["template"]["metadata"]["annotations"][sum]);
        ensure!(old.is_string() && old != new, "{sum} stays {old} when the content changes");
    }
    let pod = &set["spec"]["template"]["spec"];
    ensure!(pod["containers"][0]["args"] == cases::arguments(), "{}", pod["containers"][0]);
    let probe = &pod["containers"][0]["livenessProbe"]["httpGet"];
    ensure!(*probe == json!({"path": "/healthz", "port": 9500}), "{probe}");
    let secret = find(&all, "Secret", "wherefore")?;
    ensure!(secret["data"]["slack-url"] == "aHR0cHM6Ly9ob29rcy5leGFtcGxlLw==", "{secret}");

    let existing = objects_of("existing", &cases::existing())?;
    ensure!(find(&existing, "Secret", "sinks").is_err(), "an existing Secret is made again");
    let volume = &set_of(&existing)?["spec"]["template"]["spec"]["volumes"][1]["secret"];
    ensure!(*volume == json!({"secretName": "sinks"}), "{volume}");

    let overlap = objects_of("overlap", &cases::overlap())?;
    let spec = &set_of(&overlap)?["spec"];
    let strategy = &spec["updateStrategy"]["rollingUpdate"];
    ensure!(*strategy == json!({"maxSurge": 2, "maxUnavailable": 0}), "{strategy}");
    let pod = &spec["template"]["spec"];
    ensure!(pod["volumes"][2] == json!({"name": "state", "emptyDir": {}}), "{}", pod["volumes"]);
    // A pod with a port of the node would wait for the old one to go.
    ensure!(pod["containers"][0]["ports"].is_null(), "{}", pod["containers"][0]);
    shell::say("helm: values reach their places");
    Ok(())
}

fn find<'o>(objects: &'o [Value], kind: &str, name: &str) -> Result<&'o Value> {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let found = found.find(|object| object["metadata"]["name"] == name);
    found.with_context(|| format!("there is no {kind} {name}"))
}

fn set_of(objects: &[Value]) -> Result<&Value> {
    find(objects, "DaemonSet", "wherefore")
}

fn set(objects: &mut [Value]) -> Result<&mut Value> {
    let mut found = objects.iter_mut().filter(|object| object["kind"] == "DaemonSet");
    found.next().context("there is no DaemonSet")
}

/// In an order of their own.
fn sorted(mut objects: Vec<Value>) -> Vec<Value> {
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    objects
}

/// Removes what only a chart needs, and maps that are empty then.
fn without_helm(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_HELM.contains(&name.as_str()));
            fields.values_mut().for_each(without_helm);
            let is_meta = |name: &str| matches!(name, "annotations" | "labels");
            fields.retain(|name, value| !is_meta(name) || *value != json!({}));
            // Only the DaemonSet of the manifest has a label of its own.
            if fields.get("kind").is_some_and(Value::is_string)
                && let Some(Value::Object(metadata)) = fields.get_mut("metadata")
            {
                metadata.remove("labels");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_helm),
        _ => {}
    }
}
