//! PagerDuty, Opsgenie and webhooks: each field as its service documents it. Refuses to judge
//! retries; see `misbehaviour`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use wherefore_tests::command::{Scratch, run};

use crate::server::{Answer, Request, Server};
use crate::{SECRET, alert_test, text, time};

const ACCEPTED: Answer = Answer::Say(202, &[], r#"{"status":"success"}"#);

#[test]
fn pagerduty_gets_events_as_of_its_events_api_v2() {
    let server = Server::start(&[ACCEPTED]);
    let run = alert_test(&[format!("pagerduty,url={},routing_key=SECRET{:0>26}", server.url, "")]);
    assert!(run.succeeded().stdout.contains("202 {\"status\":\"success\"}"));
    let requests = server.requests();
    let [trigger, resolve] = &requests[..] else { panic!("{requests:?}") };
    for (request, action) in [(trigger, "trigger"), (resolve, "resolve")] {
        assert_eq!(request.header("content-type"), Some("application/json"));
        let event = request.json();
        assert_eq!(text(&event["routing_key"], 32).len(), 32);
        assert_eq!(event["event_action"], action);
        text(&event["dedup_key"], 255);
        let payload = &event["payload"];
        text(&payload["summary"], 1024);
        text(&payload["source"], 255);
        let severity = payload["severity"].as_str().unwrap();
        assert!(["critical", "error", "warning", "info"].contains(&severity), "{severity}");
        time(&payload["timestamp"]);
        for optional in ["component", "group", "class"] {
            assert!(payload[optional].is_string(), "{event}");
        }
        assert!(payload["custom_details"].is_object());
    }
    assert_eq!(trigger.json()["dedup_key"], resolve.json()["dedup_key"]);
}

#[test]
fn opsgenie_opens_and_closes_by_alias() {
    let server = Server::start(&[ACCEPTED]);
    let url = &server.url;
    let sink = format!("opsgenie,url={url},api_key=SECRETKEY,team=net,team=ops,tag=traffic");
    alert_test(&[sink]).succeeded();
    let requests = server.requests();
    let [open, close] = &requests[..] else { panic!("{requests:?}") };
    let path = format!("POST /services/{SECRET}/v2/alerts");
    assert_eq!(open.line, format!("{path} HTTP/1.1"));
    for request in [open, close] {
        assert_eq!(request.header("authorization"), Some("GenieKey SECRETKEY"));
        text(&request.json()["source"], 100);
    }
    let body = open.json();
    text(&body["message"], 130);
    text(&body["description"], 15_000);
    text(&body["entity"], 512);
    assert_eq!(body["responders"][1], serde_json::json!({"name": "ops", "type": "team"}));
    assert_eq!(body["tags"], serde_json::json!(["traffic"]));
    assert!(body["details"].as_object().unwrap().values().all(Value::is_string));
    assert!(["P1", "P2", "P3", "P4", "P5"].contains(&body["priority"].as_str().unwrap()));
    let alias = text(&body["alias"], 512);
    assert_eq!(close.line, format!("{path}/{alias}/close?identifierType=alias HTTP/1.1"));
    text(&close.json()["note"], 25_000);
}

#[test]
fn an_alert_that_opsgenie_doesnt_know_is_closed_all_the_same() {
    let server = Server::start(&[ACCEPTED, Answer::Say(404, &[], "no such alert")]);
    alert_test(&[format!("opsgenie,url={},api_key=SECRETKEY", server.url)]).succeeded();
}

fn assert_is_alertmanager_v4(request: &Request, status: &str) {
    let body = request.json();
    assert_eq!((&body["version"], &body["status"]), (&"4".into(), &status.into()));
    for name in ["groupKey", "receiver", "externalURL"] {
        assert!(body[name].is_string(), "{name}: {body}");
    }
    for name in ["groupLabels", "commonLabels", "commonAnnotations"] {
        let map = body[name].as_object().unwrap();
        assert!(map.values().all(Value::is_string), "{name}: {body}");
    }
    assert_eq!(body["truncatedAlerts"], 0);
    let [alert] = &body["alerts"].as_array().unwrap()[..] else { panic!("{body}") };
    assert_eq!(alert["status"], status);
    assert!(alert["labels"]["alertname"].is_string() && alert["annotations"].is_object());
    let (start, end) = (time(&alert["startsAt"]), time(&alert["endsAt"]));
    assert_eq!(end >= start, status == "resolved");
    let fingerprint = text(&alert["fingerprint"], 16);
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|c| c.is_ascii_hexdigit()));
    assert!(alert["generatorURL"].is_string());
}

#[test]
fn a_webhook_gets_alertmanagers_body_signed_as_a_standard_webhook() {
    let server = Server::start(&[ACCEPTED]);
    let key = b"SECRETSECRETSECRETSECRET";
    let secret = BASE64_STANDARD.encode(key);
    let sink = format!("webhook,url={},secret=whsec_{secret},header=X-Token=xyzzy", server.url);
    alert_test(&[sink]).succeeded();
    let requests = server.requests();
    let mut ids = Vec::new();
    for (request, status) in requests.iter().zip(["firing", "resolved"]) {
        assert_is_alertmanager_v4(request, status);
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-token"), Some("xyzzy"));
        let id = request.header("webhook-id").unwrap();
        let timestamp = request.header("webhook-timestamp").unwrap();
        let age = jiff::Timestamp::now().as_second() - timestamp.parse::<i64>().unwrap();
        assert!((0..60).contains(&age), "{age}");
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        let mac = mac.chain_update(format!("{id}.{timestamp}.{}", request.body));
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(request.header("webhook-signature"), Some(signature.as_str()));
        ids.push(id.to_owned());
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_webhook_may_have_a_custom_body() {
    let (server, scratch) = (Server::start(&[ACCEPTED]), Scratch::new());
    let template = r#"{"what":"{src}, to {dst}","n":{bytes},"is":"{status}","t":"{labels.none}"}"#;
    std::fs::write(scratch.path("body"), template).unwrap();
    let path = scratch.path("body").display().to_string();
    let plain = r"{status}\, {kind} of {host}";
    alert_test(&[
        format!("webhook,url={},template=@{path}", server.url),
        format!("webhook,url={},content_type=text/plain,template={plain}", server.url),
    ])
    .succeeded();
    let requests = server.requests();
    let body = requests[0].json();
    assert_eq!(body["what"], "192.0.2.1, to 198.51.100.1");
    assert_eq!((&body["n"], &body["is"]), (&1_000_000.into(), &"firing".into()));
    assert_eq!(requests[1].json()["is"], "resolved");
    assert!(requests[2].body.starts_with("firing, test of "), "{}", requests[2].body);
    assert_eq!(requests[2].header("content-type"), Some("text/plain"));
}

#[test]
fn errors_in_sinks_are_reported_together_without_secrets() {
    let capture = wherefore_tests::corpus::directory().join("made/network.pcap");
    let sinks = [
        "slick,url=xyzzy",
        "slack",
        "webhook,url=http://127.0.0.1:1/xyzzy,min_probability=7",
        "file,path=/dev/null,match=src",
    ];
    let mut arguments = vec!["replay", capture.to_str().unwrap()];
    arguments.extend(sinks.iter().flat_map(|sink| ["--sink", sink]));
    let run = crate::hides_secrets(run(arguments));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for problem in ["slick", "--url", "min_probability", "LABEL=PATTERN"] {
        assert!(run.stderr.contains(problem), "{problem}: {}", run.stderr);
    }
}

#[test]
fn a_sinks_missing_options_are_reported_before_the_start() {
    for (sink, problem) in [
        ("webhook,url=xyzzy", "url: not an http or https URL"),
        ("webhook,url=http://127.0.0.1:1/,secret=xyzzy", "whsec_"),
        ("webhook,url=http://127.0.0.1:1/,template={sorce}", "sorce"),
        ("slack,url=file:/nonexistent/slack", "/nonexistent/slack"),
        ("pagerduty,routing_key=env:WHEREFORE_NO_SUCH", "WHEREFORE_NO_SUCH"),
        ("email,server=h,tls=none,from=a@b,to=c@d,user=u,password=xyzzy", "tls or starttls"),
    ] {
        let run = crate::replay(&["--sink", sink]);
        assert_eq!(run.code, Some(2), "{sink}: {}", run.stderr);
        assert!(run.stderr.contains(problem), "{sink}: {}", run.stderr);
    }
}

#[test]
fn secrets_come_from_files_and_variables() {
    let (server, scratch) = (Server::start(&[ACCEPTED]), Scratch::new());
    std::fs::write(scratch.path("url"), format!("{}\n", server.url)).unwrap();
    let sink = format!("slack,url=file:{}", scratch.path("url").display());
    alert_test(&[sink]).succeeded();
    let mut command = wherefore_tests::command::command(["alert", "test", "--sink"]);
    let output = command.arg("slack,url=env:HOOK").env("HOOK", &server.url).output().unwrap();
    assert!(output.status.success());
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn the_environments_proxy_is_used() {
    let proxy = Server::start(&[ACCEPTED]);
    let sink = "webhook,url=http://hooks.invalid/w";
    let mut command = wherefore_tests::command::command(["alert", "test", "--sink", sink]);
    let place = proxy.url.split('/').take(3).collect::<Vec<_>>().join("/");
    let output = command.env("http_proxy", place).env_remove("no_proxy").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let line = &proxy.requests()[0].line;
    assert!(line.starts_with("POST http://hooks.invalid/w "), "{line}");
}

#[test]
fn a_test_of_no_sink_or_an_unknown_one_is_refused() {
    let none = run(["alert", "test"]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    let other = run(["alert", "test", "mail", "--sink", "file,path=/dev/null,name=null"]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("null"), "{}", other.stderr);
    let named = run(["alert", "test", "null", "--sink", "file,path=/dev/null,name=null"]);
    assert!(named.clone().succeeded().stdout.contains("null: firing delivered"), "{named:?}");
    let kind =
        run(["alert", "test", "file", "--sink", "file,path=/dev/null", "--sink", "journald"]);
    let stdout = kind.succeeded().stdout;
    assert!(stdout.lines().all(|line| line.starts_with("file-")), "{stdout}");
}
