//! Sets of values for the chart, and the expected results. Owns nothing else.

use serde_json::{Value, json};

/// Sets that must work.
pub(super) fn good() -> Vec<(&'static str, Value)> {
    vec![
        ("default", json!({})),
        ("all", all()),
        ("existing", existing()),
        ("overlap", overlap()),
        ("least", least()),
    ]
}

/// Everything on.
pub(super) fn all() -> Value {
    json!({
        "image": {
            "repository": "registry.example:5000/wherefore", "tag": "0.1.1",
            "pullPolicy": "Always", "pullSecrets": [{"name": "registry"}],
        },
        "config": "interface = [\"any\"]\n\n[[sink]]\ntype = \"slack\"\nurl = \"file:/run/secrets/wherefore/slack-url\"\n",
        // Go would write it as 2e+06.
        "maxFlows": 2_000_000,
        "secret": {"data": {"slack-url": "https://hooks.example/", "listen-token": "0123456789abcdef"}},
        "listener": {"host": "::", "port": 9500},
        "resources": {"limits": {"memory": "4Gi", "cpu": "1"}},
        "priorityClassName": "high",
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "monitoring": {
            "podMonitor": {"enabled": true, "interval": "1m", "labels": {"release": "prometheus"}},
            "rules": {"enabled": true, "labels": {"release": "prometheus"}},
            "dashboard": {"enabled": true},
        },
    })
}

/// The arguments of the agent then.
pub(super) fn arguments() -> Value {
    json!([
        "run",
        "--state-dir",
        "/var/lib/wherefore",
        "--alerts",
        "-",
        "--max-flows",
        "2000000",
        "--listen",
        "[::]:9500",
        "--listen-token-file",
        "/run/secrets/wherefore/listen-token",
    ])
}

/// The PodMonitor's specification then. The job is `wherefore`, as the rules expect.
pub(super) fn monitor() -> Value {
    json!({
        "jobLabel": "app.kubernetes.io/name",
        "selector": {"matchLabels": {
            "app.kubernetes.io/name": "wherefore", "app.kubernetes.io/instance": "wherefore",
        }},
        "podMetricsEndpoints": [{
            "port": "listener", "path": "/metrics", "interval": "1m",
            "authorization": {
                "type": "Bearer", "credentials": {"name": "wherefore", "key": "listen-token"},
            },
        }],
    })
}

/// A Secret that exists.
pub(super) fn existing() -> Value {
    json!({"secret": {"existing": "sinks"}, "listener": {"host": "0.0.0.0"}})
}

/// Updates that overlap.
pub(super) fn overlap() -> Value {
    json!({"update": {"overlap": true, "atOnce": 2}, "listener": {"enabled": false}})
}

/// Everything off that can be.
fn least() -> Value {
    json!({
        "config": "", "listener": {"enabled": false}, "resources": {"requests": null, "limits": null},
        "priorityClassName": "", "tolerations": [],
    })
}

/// Sets that must be refused, and a word of the reason.
pub(super) fn bad() -> Vec<(&'static str, Value)> {
    let token = json!({"data": {"listen-token": "0123456789abcdef"}});
    vec![
        ("maxFlow", json!({"maxFlow": 1})),
        ("maxFlows", json!({"maxFlows": "many"})),
        ("maxFlows", json!({"maxFlows": 0})),
        ("config", json!({"config": {"interface": "any"}})),
        ("image.pullPolicy", json!({"image": {"pullPolicy": "Sometimes"}})),
        ("listener.host", json!({"listener": {"host": "localhost"}})),
        ("listener.port", json!({"listener": {"port": 70_000}})),
        ("secret.data.listen-token", json!({"secret": {"data": {"listen-token": "short"}}})),
        ("secret.existing", json!({"secret": {"existing": "No Name"}})),
        ("state.hostPath", json!({"state": {"hostPath": "var/lib"}})),
        ("update.atOnce", json!({"update": {"atOnce": "0%"}})),
        ("resources.limits.memory", json!({"resources": {"limits": {"memory": "512MB"}}})),
        (
            "monitoring.podMonitor.interval",
            json!({"monitoring": {"podMonitor": {"interval": "30"}}}),
        ),
        ("tolerations.0", json!({"tolerations": [{"operator": "Exist"}]})),
        ("exclude each other", json!({"secret": {"existing": "a", "data": {"b": "c"}}})),
        ("needs listen-token", json!({"listener": {"host": "0.0.0.0"}})),
        ("needs listener.enabled=false", json!({"update": {"overlap": true}})),
        (
            "that Prometheus can reach",
            json!({"secret": token, "monitoring": {"podMonitor": {"enabled": true}}}),
        ),
    ]
}
