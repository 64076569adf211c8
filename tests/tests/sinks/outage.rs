//! Endpoints that are unreachable for a while: how often they are tried, and what they get when they
//! are back. Incidents that ended meanwhile are not revived.

use std::time::Duration;

use serde_json::Value;
use wherefore_agent::output::sinks::{self, Sinks};
use wherefore_tests::command::wait_until;

use crate::reload::{alert, spec};
use crate::server::{Answer, OK, Request, Server};
use crate::{replay, time};

/// The least pauses before the second and the third attempt: 1 s and 2 s, with chance in them.
const PAUSES: [Duration; 2] = [Duration::from_millis(740), Duration::from_millis(1490)];

#[test]
fn retry_after_never_shortens_the_backoff() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let refusals = [
        Answer::Say(429, &[("retry-after", "0")], ""),
        Answer::Say(503, &[("retry-after", "0")], ""),
        Answer::Header(429, "retry-after", past.to_owned()),
        Answer::Say(429, &[("retry-after", "0.5")], ""),
        Answer::Say(429, &[("retry-after", "-1")], ""),
        Answer::Say(503, &[("retry-after", "junk")], ""),
    ];
    let servers = refusals.map(|refusal| {
        let server = Server::start(&[refusal.clone(), refusal.clone(), OK]);
        (refusal, server)
    });
    let sinks: Vec<_> = servers.iter().map(|(_, to)| format!("webhook,url={}", to.url)).collect();
    let options: Vec<&str> = sinks.iter().flat_map(|sink| ["--sink", sink]).collect();
    replay(&options).succeeded();
    for (refusal, server) in &servers {
        let times: Vec<_> = server.requests().iter().map(|request| request.at).collect();
        for (pair, least) in times.windows(2).zip(PAUSES) {
            let pause = pair[1] - pair[0];
            assert!(pause >= least, "{refusal:?}: {pause:?} instead of {least:?}");
        }
    }
}

#[test]
fn a_longer_pause_is_kept_to_the_second_with_a_fraction_too() {
    let server = Server::start(&[Answer::Say(429, &[("retry-after", "2.5")], ""), OK]);
    replay(&["--sink", &format!("webhook,url={}", server.url)]).succeeded();
    let requests = server.requests();
    let pause = requests[1].at - requests[0].at;
    assert!(pause >= Duration::from_millis(2500), "{pause:?}");
}

/// The alerts of requests to Alertmanager.
fn posted(requests: &[Request]) -> Vec<Value> {
    requests.iter().flat_map(|request| request.json().as_array().unwrap().clone()).collect()
}

fn is_firing(alert: &Value) -> bool {
    time(&alert["endsAt"]) > jiff::Timestamp::now()
}

#[test]
fn alertmanager_gets_no_firing_alert_that_ended_during_an_outage() {
    let server = Server::start(&[OK]);
    let words = ["alertmanager", "--url", &server.url, "--resend-every", "200ms"];
    let sinks = Sinks::start(sinks::open(&[spec(&words)], None).unwrap(), &[]).unwrap();
    sinks.send(&alert("before", "firing"));
    sinks.send(&alert("lasts", "firing"));
    wait_until("both are delivered", || sinks.counters()[0].delivered == 2);
    server.then(&[Answer::Say(503, &[], "")]);
    let asked = server.requests().len();
    for (key, status) in
        [("meanwhile", "firing"), ("before", "resolved"), ("meanwhile", "resolved")]
    {
        sinks.send(&alert(key, status));
    }
    server.wait_for(asked + 2);
    wait_until("the ends wait", || sinks.counters()[0].waiting == 3);
    let back = server.requests().len();
    server.then(&[OK]);
    wait_until("all are delivered", || sinks.counters()[0].waiting == 0);
    let settled = server.requests().len();
    server.wait_for(settled + 2);
    for alert in posted(&server.requests()[back..]) {
        let key = alert["annotations"]["key"].as_str().unwrap();
        assert_eq!(is_firing(&alert), key == "lasts", "{alert}");
    }
    // Only firing alerts are sent again.
    let repeated = posted(&server.requests()[settled..]);
    assert!(repeated.iter().all(|alert| alert["annotations"]["key"] == "lasts"), "{repeated:?}");
    sinks.finish();
}

#[test]
fn the_last_message_to_a_service_is_the_end() {
    let servers = [(); 2].map(|()| Server::start(&[Answer::Say(503, &[], "")]));
    let specs = [
        spec(&["pagerduty", "--routing-key", "abcdefgh", "--url", &servers[0].url]),
        spec(&["opsgenie", "--api-key", "abcdefgh", "--url", &servers[1].url]),
    ];
    let sinks = Sinks::start(sinks::open(&specs, None).unwrap(), &[]).unwrap();
    for status in ["firing", "update", "resolved"] {
        sinks.send(&alert("a", status));
    }
    for server in &servers {
        server.wait_for(1);
        server.then(&[OK]);
    }
    wait_until("all are delivered", || sinks.counters().iter().all(|sink| sink.waiting == 0));
    let last = |at: usize| servers[at].requests().pop().unwrap();
    assert_eq!(last(0).json()["event_action"], "resolve");
    assert!(last(1).line.contains("/close?"), "{}", last(1).line);
    sinks.finish();
}

#[test]
fn a_member_that_hangs_does_not_hold_up_the_others() {
    let (hung, good) = (Server::start(&[Answer::Hang]), Server::start(&[OK]));
    let words = ["alertmanager", "--url", &hung.url, "--url", &good.url, "--timeout", "1m"];
    let sinks = Sinks::start(sinks::open(&[spec(&words)], None).unwrap(), &[]).unwrap();
    sinks.send(&alert("a", "firing"));
    sinks.send(&alert("b", "firing"));
    wait_until("both are delivered", || sinks.counters()[0].delivered == 2);
    drop(sinks);
}

#[test]
fn times_in_the_future_are_not_sent() {
    // The clock was set back since.
    let server = Server::start(&[OK]);
    let sinks = Sinks::start(
        sinks::open(&[spec(&["alertmanager", "--url", &server.url])], None).unwrap(),
        &[],
    )
    .unwrap();
    let ahead = |status| {
        let mut alert = (*alert("a", status)).clone();
        (alert.started, alert.time) = (
            "2999-01-01T00:00:00.000000000Z".to_owned(),
            "2999-01-01T00:00:05.000000000Z".to_owned(),
        );
        std::sync::Arc::new(alert)
    };
    sinks.send(&ahead("firing"));
    sinks.send(&ahead("resolved"));
    let posted = posted(&server.wait_for(2));
    assert_eq!([is_firing(&posted[0]), is_firing(&posted[1])], [true, false]);
    for alert in &posted {
        assert!(time(&alert["startsAt"]) <= time(&alert["endsAt"]), "{alert}");
    }
    sinks.finish();
}
