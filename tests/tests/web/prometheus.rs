//! Metrics beside the programs that others use: Prometheus with its rules and the dashboard's questions,
//! and node_exporter.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::traffic::{tcp_transfer, udp_send};
use wherefore_tests::lab::{Family, Lab, wait_until};

use super::{PATIENCE, asked, datagrams, free_port, json, value, watch};

/// A real server, stopped at the end.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every question of the dashboard, as Grafana would put it.
fn dashboard_questions() -> Result<Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let questions = targets.filter_map(|target| target["expr"].as_str());
    Ok(questions
        .map(|text| text.replace("$instance", ".*").replace("$__rate_interval", "10s"))
        .collect())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn the_real_prometheus_answers_the_dashboards_queries() -> Result<()> {
    let name = "the_real_prometheus_answers_the_dashboards_queries";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let [address, own] = [free_port(&lab.b)?, free_port(&lab.b)?];
    let _agent = watch(&lab, address, &[])?;
    let configuration = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: wherefore\n    \
         static_configs: [{{targets: ['{address}']}}]\n"
    );
    std::fs::write(scratch.path("prometheus.yml"), configuration)?;
    let mut command = lab.b.namespace.command("prometheus");
    command.arg(format!("--config.file={}", scratch.path("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", scratch.path("data").display()));
    command.arg(format!("--web.listen-address={own}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if Command::new("prometheus").arg("--version").output().is_err() {
        wherefore_tests::skip(name, "prometheus is not installed");
        return Ok(());
    }
    let _prometheus = Server(command.spawn()?);
    let answer = |question: &str| -> Result<Value> {
        json(&lab.b, own, &format!("/api/v1/query?query={}", encoded(question)))
    };
    let has = |question: &str| {
        answer(question).is_ok_and(|answer| {
            answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty())
        })
    };
    udp_send(&lab.a, &lab.b, datagrams())?;
    assert!(wait_until(PATIENCE, || has("up{job=\"wherefore\"} == 1")), "it is not scraped");
    for question in dashboard_questions()? {
        // Events that have not happened have no series: neither incidents nor sinks.
        if question.contains("alerts") {
            assert_eq!(answer(&question)?["status"], "success", "{question}");
        } else {
            assert!(wait_until(PATIENCE, || has(&question)), "nothing: {question}");
        }
    }
    Ok(())
}

/// The rules: by the real Prometheus' own test.
#[test]
fn the_alerting_rules_pass_their_own_tests() -> Result<()> {
    let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
    let mut command = Command::new("promtool");
    command.args(["test", "rules", "prometheus-rules.test.yaml"]).current_dir(deploy);
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        wherefore_tests::skip(
            "the_alerting_rules_pass_their_own_tests",
            "promtool is not installed",
        );
        return Ok(());
    };
    let printed = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&printed));
    Ok(())
}

#[test]
fn counters_agree_with_node_exporter() -> Result<()> {
    const EXPORTER: &str = "prometheus-node-exporter";
    let name = "counters_agree_with_node_exporter";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    if Command::new(EXPORTER).arg("--version").output().is_err() {
        wherefore_tests::skip(name, "prometheus-node-exporter is not installed");
        return Ok(());
    }
    let [address, theirs] = [free_port(&lab.b)?, free_port(&lab.b)?];
    let mut command = lab.b.namespace.command(EXPORTER);
    command.args(["--collector.disable-defaults", "--collector.netdev"]);
    command.arg(format!("--web.listen-address={theirs}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _exporter = Server(command.spawn()?);
    let device = &lab.b.device;
    let node = |direction: &str| -> Result<u64> {
        let series = format!("node_network_{direction}_bytes_total{{device=\"{device}\"}}");
        let metrics = asked(&lab.b, theirs, "/metrics")?;
        let line = metrics.lines().find(|line| line.starts_with(&series)).context("no series")?;
        let number: f64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
        Ok(number as u64)
    };
    let both = || -> Result<[u64; 2]> { Ok([node("receive")?, node("transmit")?]) };
    ensure!(wait_until(PATIENCE, || both().is_ok()), "{:?}", both());
    let before = both()?;
    let agent = watch(&lab, address, &[])?;
    tcp_transfer(&lab.a, &lab.b, Family::V4, 400_000, 1_000_000)?;
    lab.wait_quiet()?;
    let moved: Vec<u64> =
        both()?.iter().zip(before).map(|(after, before)| after - before).collect();
    assert!(moved[0] > 400_000 && moved[1] > 1_000_000, "{moved:?}");
    let mut counted = Vec::new();
    let agrees = wait_until(PATIENCE, || {
        let metrics = asked(&lab.b, address, "/metrics").unwrap_or_default();
        let ours = |direction: &str| {
            let labels = format!("{{direction=\"{direction}\",interface=\"{device}\"}}");
            value(&metrics, &format!("wherefore_interface_bytes_total{labels}"))
        };
        counted = ["received", "sent"].into_iter().filter_map(ours).collect();
        counted == moved
    });
    assert!(agrees, "counted {counted:?}, node_exporter says {moved:?}");
    agent.stop()?;
    Ok(())
}
