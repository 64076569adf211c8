//! An HTTP server whose answers and misbehaviour each test defines. Owns the requests; refuses
//! to judge them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use wherefore_tests::command::{Scratch, wait_until};

use crate::SECRET;

/// The server's reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status line without version, headers, body.
    Say(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The same with a header that is made at the time.
    Header(u16, &'static str, String),
    /// Never answers.
    Hang,
    /// Closes the connection without an answer.
    Reset,
    /// Answers with a success that never ends, a little at a time.
    Trickle,
    /// Echoes the request.
    Echo(u16),
    /// Echoes this header of the request: whole, without its scheme, and decoded from
    /// base64 and encoded to it.
    Mirror(u16, &'static str),
}

pub(crate) const OK: Answer = Answer::Say(200, &[], "ok");

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|header| header.0 == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// A server, until the end of the process.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answers: Mutex<Vec<Answer>>,
    next: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    tls: Option<Arc<ServerConfig>>,
    is_over: AtomicBool,
}

impl Server {
    /// One answer a request; the last is for all that follow.
    pub(crate) fn start(answers: &[Answer]) -> Self {
        Self::on(None, answers)
    }

    /// By TLS, with its own certificate for 127.0.0.1, whose file is the second value.
    pub(crate) fn with_tls(scratch: &Scratch, answers: &[Answer]) -> (Self, String) {
        let certified = certificate(scratch);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let path = scratch.path("cert.pem").display().to_string();
        (Self::on(Some(Arc::new(config)), answers), path)
    }

    fn on(tls: Option<Arc<ServerConfig>>, answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{port}/services/{SECRET}");
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers.to_vec()),
            next: AtomicUsize::new(0),
            requests: Mutex::default(),
            tls,
            is_over: AtomicBool::new(false),
        });
        let server = Self { url, shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(stream.unwrap()));
            }
        });
        server
    }

    /// Sets the answers from now on.
    pub(crate) fn then(&self, answers: &[Answer]) {
        *self.shared.answers.lock().unwrap() = answers.to_vec();
        self.shared.next.store(0, Ordering::SeqCst);
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The same, as soon as there are this many.
    pub(crate) fn wait_for(&self, number: usize) -> Vec<Request> {
        wait_until("the server was asked", || self.requests().len() >= number);
        self.requests()
    }
}

/// A certificate for 127.0.0.1, in `cert.pem` and `key.pem`.
pub(crate) fn certificate(scratch: &Scratch) -> rcgen::CertifiedKey<rcgen::KeyPair> {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(scratch.path("cert.pem"), certified.cert.pem()).unwrap();
    std::fs::write(scratch.path("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    certified
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let mut stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).unwrap();
                Box::new(StreamOwned::new(connection, stream))
            }
        };
        let Some(request) = read_request(&mut stream) else { return };
        let seen = request.clone();
        self.requests.lock().unwrap().push(request);
        let answer = {
            let answers = self.answers.lock().unwrap();
            let at = self.next.fetch_add(1, Ordering::SeqCst);
            answers[at.min(answers.len() - 1)].clone()
        };
        // A test may be about clients that disconnect.
        let _ = self.answer(stream, answer, &seen);
    }

    fn answer(
        &self,
        mut to: Box<dyn Stream>,
        answer: Answer,
        request: &Request,
    ) -> std::io::Result<()> {
        let mut say = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} Whatever\r\n{headers}content-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
            to.write_all(answer.as_bytes()).and_then(|()| to.flush())
        };
        match answer {
            Answer::Say(status, headers, body) => {
                let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
                say(status, &headers.collect::<String>(), body)
            }
            Answer::Header(status, name, value) => say(status, &format!("{name}: {value}\r\n"), ""),
            Answer::Echo(status) => say(status, "", &request.line),
            Answer::Mirror(status, header) => {
                let value = request.header(header).unwrap_or_default();
                let rest = value.split_whitespace().last().unwrap_or_default();
                let encoded = BASE64_STANDARD.encode(rest);
                let decoded = BASE64_STANDARD.decode(rest).unwrap_or_default();
                let decoded = String::from_utf8_lossy(&decoded);
                say(status, "", &format!("{value} | {rest} | {encoded} | {decoded}"))
            }
            Answer::Reset => Ok(()),
            Answer::Hang => {
                wait_for_ever(&self.is_over);
                Ok(())
            }
            Answer::Trickle => {
                to.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
                loop {
                    to.write_all(b"x")?;
                    to.flush()?;
                    pause();
                }
            }
        }
    }
}

fn wait_for_ever(is_over: &AtomicBool) {
    let hour = std::time::Duration::from_secs(3600);
    wherefore_tests::lab::wait_until(hour, || is_over.load(Ordering::Relaxed));
}

fn pause() {
    let short = std::time::Duration::from_millis(50);
    wherefore_tests::lab::wait_until(short, || false);
}

fn read_request(stream: &mut dyn Stream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    // A client that connects without a request does not trust the certificate.
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|header| header.0 == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Request { at: Instant::now(), line: line.trim_end().to_owned(), headers, body })
}
