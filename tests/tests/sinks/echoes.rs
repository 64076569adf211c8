//! Servers that repeat their requests: no secret of any sink is shown, in any form. The
//! helpers `alert_test` and `replay` check that for all tests.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use wherefore_tests::command::Scratch;

use crate::alert_test;
use crate::server::{Answer, Server};

/// A password in a URL, and its base64 form after its user.
const PASSWORD: &str = "xyzzyxyzzy42";

/// The server's URL with a user and that password.
fn with_password(server: &Server) -> String {
    server.url.replace("http://", &format!("http://user:{PASSWORD}@"))
}

/// The sink's output about this text, once its server has refused an alert.
fn shown(sink: &str) -> String {
    let run = alert_test(&[sink.to_owned()]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("the server answered 404"), "{}", run.stdout);
    run.stdout + &run.stderr
}

#[test]
fn credentials_are_not_shown_as_they_are_nor_in_base64() {
    let server = Server::start(&[Answer::Mirror(404, "authorization")]);
    let pair = BASE64_STANDARD.encode(format!("user:{PASSWORD}"));
    let twice = BASE64_URL_SAFE_NO_PAD.encode(&pair);
    let url = with_password(&server);
    for sink in ["slack", "pagerduty,routing_key=abcdefgh", "webhook", "alertmanager"] {
        let shown = shown(&format!("{sink},url={url}"));
        for secret in [PASSWORD, &pair, &pair[..pair.len() - 4], &twice[..24]] {
            assert!(!shown.contains(secret), "{sink}: {secret} in {shown}");
        }
    }
}

#[test]
fn header_values_are_not_shown_without_their_scheme() {
    let scratch = Scratch::new();
    for header in [
        "Bearer xyzzySECRET0123456789",
        "Token xyzzySECRET0123456789",
        "xyzzySECRET0123456789",
        "Basic dXNlcjp4eXp6eVNFQ1JFVA==",
    ] {
        std::fs::write(scratch.path("header"), header).unwrap();
        let server = Server::start(&[Answer::Mirror(404, "authorization")]);
        let path = scratch.path("header");
        let (url, path) = (&server.url, path.display());
        let shown = shown(&format!("webhook,url={url},header=Authorization=file:{path}"));
        for secret in ["eXp6eVNFQ1JFVDAxMjM0NTY3ODk", "c2VjcmV0", "dXNlcjp4eXp6eVNFQ1JFVA"] {
            assert!(!shown.contains(secret), "{header}: {shown}");
        }
    }
    let server = Server::start(&[Answer::Mirror(404, "authorization")]);
    let shown = shown(&format!("opsgenie,url={},api_key=xyzzySECRETKEY99", server.url));
    assert!(!shown.contains("eXp6eVNFQ1JFVEtFWTk5"), "{shown}");
}

#[test]
fn parts_of_the_url_of_every_sink_are_not_shown() {
    let server = Server::start(&[Answer::Echo(404)]);
    for sink in [
        "slack",
        "pagerduty,routing_key=abcdefgh",
        "opsgenie,api_key=abcdefgh",
        "webhook",
        "alertmanager",
    ] {
        let url = format!("{}?key=xyzzy", with_password(&server));
        let shown = shown(&format!("{sink},url={url}"));
        assert!(shown.contains("***"), "{sink}: {shown}");
    }
}

#[test]
fn the_arguments_of_a_program_are_not_logged() {
    let script = "echo \"bad --token=$1 $2\" >&2; exit 1";
    let run = alert_test(&[format!(
        "command,program=/bin/sh,arg=-c,arg={script},arg=sh,arg=--token=xyzzySECRET1,\
         arg=http://h/SECRETSECRET/xyzzyxyzzy99"
    )]);
    assert!(run.stdout.contains("refused") && run.stdout.contains("***"), "{}", run.stdout);
}
