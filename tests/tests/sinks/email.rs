//! Mail through a real SMTP server, Debian's aiosmtpd: headers, threads, encryption, and which
//! refusals are final.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use wherefore_tests::command::{Scratch, wait_until};

use crate::server::certificate;
use crate::{alert_test, objects};

/// Debian's own, which has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

/// Prints its port, and then each message as a line of JSON.
const SERVER: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
seen = set()
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('full@'): return '452 4.2.2 mailbox full'
        if address.startswith('gone@'): return '550 5.1.1 no such mailbox'
        if address.startswith('busy@') and address not in seen:
            seen.add(address)
            return '450 4.2.1 come again'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        text = email.message_from_bytes(envelope.content, policy=email.policy.default).get_content()
        user = session.auth_data.login.decode() if session.authenticated else None
        print(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'user': user,
            'tls': session.ssl is not None, 'text': text, 'content': envelope.content.decode()}), flush=True)
        return '250 kept as 42'
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b'agent', b'xyzzyxyzzy'), handled=False,
                      auth_data=data)
options = {}
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1] + '/cert.pem', sys.argv[1] + '/key.pem')
    options = dict(tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
async def main():
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), **options), '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

struct Mail {
    child: Child,
    port: u16,
    kept: Arc<Mutex<String>>,
}

impl Drop for Mail {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Mail {
    /// The server; `None`, with a message, if it is not installed.
    fn start(test: &str, certificates: Option<&Path>) -> Option<Self> {
        if !Path::new("/usr/lib/python3/dist-packages/aiosmtpd").exists() {
            wherefore_tests::skip(test, "python3-aiosmtpd is not installed");
            return None;
        }
        let mut command = Command::new(PYTHON);
        command.args(["-W", "ignore", "-c", SERVER]).args(certificates);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let kept = Arc::new(Mutex::new(String::new()));
        let keep = kept.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *keep.lock().unwrap() += &(line + "\n");
            }
        });
        Some(Self { child, port, kept })
    }

    fn messages(&self, number: usize) -> Vec<Value> {
        let messages = || objects(&self.kept.lock().unwrap());
        wait_until("the mail has come", || messages().len() >= number);
        messages()
    }
}

/// The value of a header, unfolded.
#[track_caller]
fn header(message: &Value, name: &str) -> String {
    let content = message["content"].as_str().unwrap().replace("\r\n ", " ");
    let start = format!("{name}: ");
    let line = content.lines().take_while(|line| !line.is_empty());
    let mut values = line.filter_map(|line| line.strip_prefix(&start));
    values.next().unwrap_or_else(|| panic!("no {name} in {content}")).to_owned()
}

#[test]
fn messages_of_an_incident_are_a_thread() {
    let Some(mail) = Mail::start("messages_of_an_incident_are_a_thread", None) else { return };
    let sink = format!(
        "email,server=127.0.0.1,port={},tls=none,from=Wherefore <agent@example.org>,\
         to=a@example.org,to=B <b@example.org>",
        mail.port
    );
    let run = alert_test(&[sink]).succeeded();
    assert!(run.stdout.contains("delivered: 250 kept as 42"), "{}", run.stdout);
    let messages = mail.messages(2);
    for message in &messages {
        assert_eq!(message["from"], "agent@example.org");
        assert_eq!(message["to"], serde_json::json!(["a@example.org", "b@example.org"]));
        assert!(header(message, "To").contains("a@example.org, B <b@example.org>"));
        assert!(header(message, "From").contains("agent@example.org"));
        assert_eq!(header(message, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(message, "X-Wherefore-Key").len(), 32);
        assert!(header(message, "Date").ends_with("+0000"));
        assert_eq!(header(message, "MIME-Version"), "1.0");
        assert!(message["text"].as_str().unwrap().contains("a test of Wherefore"));
    }
    let (first, last) = (&messages[0], &messages[1]);
    assert!(header(first, "Subject").starts_with("[wherefore] test: 192.0.2.1 -> 198.51.100.1"));
    assert!(header(last, "Subject").starts_with("[wherefore] Resolved: test: 192.0.2.1"));
    let thread = header(first, "Message-ID");
    assert!(thread.starts_with('<') && thread.ends_with("@example.org>"), "{thread}");
    assert_eq!(header(last, "References"), thread);
    assert_eq!(header(last, "In-Reply-To"), thread);
    assert_ne!(header(last, "Message-ID"), thread);
}

#[test]
fn mail_is_encrypted_and_logged_in() {
    let scratch = Scratch::new();
    certificate(&scratch);
    let pem = scratch.path("cert.pem");
    let directory = pem.parent().unwrap();
    let test = "mail_is_encrypted_and_logged_in";
    let Some(mail) = Mail::start(test, Some(directory)) else { return };
    let sink = format!(
        "email,server=127.0.0.1,port={},from=agent@example.org,to=a@example.org,user=agent",
        mail.port
    );
    let trusting = format!("{sink},ca_file={}", pem.display());
    alert_test(&[format!("{trusting},password=xyzzyxyzzy")]).succeeded();
    let messages = mail.messages(2);
    assert_eq!((&messages[0]["tls"], &messages[0]["user"]), (&true.into(), &"agent".into()));
    let wrong = alert_test(&[format!("{trusting},password=xyzzyabcde")]);
    assert!(wrong.stdout.contains("refused") && wrong.stdout.contains("535"), "{}", wrong.stdout);
    let distrusting = alert_test(&[format!("{sink},password=xyzzyxyzzy")]);
    assert_eq!(distrusting.code, Some(1));
    assert!(distrusting.stdout.contains("certificate"), "{}", distrusting.stdout);
}

#[test]
fn a_mail_servers_reply_decides_about_a_retry() {
    let test = "a_mail_servers_reply_decides_about_a_retry";
    let Some(mail) = Mail::start(test, None) else { return };
    let to = |who: &str| {
        let port = mail.port;
        let sink = format!("email,server=127.0.0.1,port={port},tls=none,from=w@example.org");
        alert_test(&[format!("{sink},to={who}@example.org")])
    };
    let (full, gone) = (to("full"), to("gone"));
    assert!(
        full.stdout.contains("failed, but may work later") && full.stdout.contains("mailbox full")
    );
    assert!(gone.stdout.contains("refused") && gone.stdout.contains("no such mailbox"));
    let nobody = alert_test(&["email,server=127.0.0.1,port=1,from=a@b.c,to=d@e.f".to_owned()]);
    assert!(nobody.stdout.contains("failed, but may work later"), "{}", nobody.stdout);
}

#[test]
fn one_refused_recipient_does_not_lose_it_for_the_others() {
    let test = "one_refused_recipient_does_not_lose_it_for_the_others";
    let Some(mail) = Mail::start(test, None) else { return };
    let port = mail.port;
    let sink = format!("email,server=127.0.0.1,port={port},tls=none,from=w@example.org");
    let run =
        alert_test(&[format!("{sink},to=gone@example.org,to=a@example.org,to=b@example.org")]);
    assert!(run.stdout.contains("delivered: 250 kept as 42"), "{}", run.stdout);
    assert!(run.stderr.contains("gone@example.org"), "{}", run.stderr);
    let to = |message: &Value| message["to"][0].as_str().unwrap().to_owned();
    let got: Vec<_> = mail.messages(4).iter().map(to).collect();
    assert_eq!(got, ["a@example.org", "b@example.org"].repeat(2));
    // All are refused: then it is.
    let run = alert_test(&[format!("{sink},to=gone@example.org,to=gone@example.net")]);
    assert!(run.stdout.contains("refused: ") && run.code == Some(1), "{}", run.stdout);
}

#[test]
fn a_recipient_that_is_tried_again_is_tried_alone() {
    let test = "a_recipient_that_is_tried_again_is_tried_alone";
    let Some(mail) = Mail::start(test, None) else { return };
    let port = mail.port;
    let sink = format!(
        "email,server=127.0.0.1,port={port},tls=none,from=w@example.org,\
         to=busy@example.org,to=busy@example.net,to=a@example.org"
    );
    crate::replay(&["--sink", &sink]).succeeded();
    let messages = mail.messages(3);
    let first = header(&messages[0], "Message-ID");
    let first = messages.iter().filter(|message| header(message, "Message-ID") == first);
    let mut got: Vec<_> = first.flat_map(|message| message["to"].as_array().unwrap()).collect();
    got.sort_by_key(|to| to.as_str());
    assert_eq!(got, ["a@example.org", "busy@example.net", "busy@example.org"]);
}
