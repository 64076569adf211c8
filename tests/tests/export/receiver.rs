//! A receiver of OpenTelemetry's protocol, over HTTP or gRPC, whose answers each test defines. Owns the requests,
//! decoded; refuses to judge them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use flate2::read::GzDecoder;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use prost::Message;

/// How to answer a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reply {
    Accept,
    /// Takes it except for this number of records.
    Partial(i64),
    Refuse,
    /// Unavailable, and for how many seconds.
    Later(Option<u32>),
    /// Never answers.
    Hang,
    /// Disconnects.
    Close,
    /// A success whose content is none.
    Garbage,
}

/// Attributes by name, as text.
pub(crate) type Attributes = BTreeMap<String, String>;

/// A log record.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) event: String,
    pub(crate) severity: i32,
    pub(crate) body: String,
    pub(crate) time: u64,
    pub(crate) attributes: Attributes,
}

/// A point of a sum.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
    pub(crate) value: u64,
    pub(crate) times: (u64, u64),
    pub(crate) is_sum: bool,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) at: Instant,
    pub(crate) reply: Reply,
    pub(crate) secret: String,
    /// Of the message before compression.
    pub(crate) bytes: usize,
    pub(crate) resource: Attributes,
    pub(crate) logs: Vec<Log>,
    pub(crate) points: Vec<Point>,
}

/// A receiver, until the end of the process.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// One for each request; the last is for all that follow.
    replies: Vec<Reply>,
    requests: Mutex<Vec<Got>>,
}

impl Receiver {
    /// Over gRPC, else HTTP.
    pub(crate) fn start(is_grpc: bool, replies: &[Reply]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), is_grpc, replies)
    }

    /// Behind this listener.
    pub(crate) fn on(listener: TcpListener, is_grpc: bool, replies: &[Reply]) -> Self {
        let scheme = if is_grpc { "grpc" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { replies: replies.to_vec(), requests: Mutex::default() });
        let own = shared.clone();
        std::thread::spawn(move || {
            if is_grpc { serve_grpc(listener, &own) } else { serve(&listener, &own) }
        });
        Self { url, shared }
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Got> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The log records of the requests that were accepted, with this event name.
    pub(crate) fn logs(&self, event: &str) -> Vec<Log> {
        let accepted = |got: &Got| matches!(got.reply, Reply::Accept | Reply::Partial(_));
        let requests = self.requests().into_iter().filter(accepted);
        requests.flat_map(|got| got.logs).filter(|log| log.event == event).collect()
    }
}

impl Shared {
    /// Notes a request and chooses the answer.
    fn take(&self, path: &str, secret: &str, body: &[u8]) -> Reply {
        let mut message = Vec::new();
        GzDecoder::new(body).read_to_end(&mut message).unwrap();
        let mut requests = self.requests.lock().unwrap();
        let reply = self.replies[requests.len().min(self.replies.len() - 1)];
        let mut got = Got {
            at: Instant::now(),
            reply,
            secret: secret.to_owned(),
            bytes: message.len(),
            resource: Attributes::new(),
            logs: Vec::new(),
            points: Vec::new(),
        };
        match path {
            "/v1/logs" | "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
                got.read_logs(&message);
            }
            "/v1/metrics" | "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
                got.read_metrics(&message);
            }
            other => panic!("{other}"),
        }
        requests.push(got);
        reply
    }
}

impl Got {
    fn read_logs(&mut self, message: &[u8]) {
        let request = ExportLogsServiceRequest::decode(message).unwrap();
        for of_resource in request.resource_logs {
            self.resource = attributes(&of_resource.resource.unwrap().attributes);
            for record in of_resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                self.logs.push(Log {
                    event: record.event_name,
                    severity: record.severity_number,
                    body: text(record.body.as_ref()),
                    time: record.time_unix_nano,
                    attributes: attributes(&record.attributes),
                });
            }
        }
    }

    fn read_metrics(&mut self, message: &[u8]) {
        let request = ExportMetricsServiceRequest::decode(message).unwrap();
        for of_resource in request.resource_metrics {
            self.resource = attributes(&of_resource.resource.unwrap().attributes);
            for metric in of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                let Some(Data::Sum(sum)) = metric.data else { panic!("{}", metric.name) };
                // Cumulative is 2.
                let is_sum = sum.is_monotonic && sum.aggregation_temporality == 2;
                for point in sum.data_points {
                    let Some(Number::AsInt(value)) = point.value else { panic!("{point:?}") };
                    self.points.push(Point {
                        name: metric.name.clone(),
                        attributes: attributes(&point.attributes),
                        value: value.try_into().unwrap(),
                        times: (point.start_time_unix_nano, point.time_unix_nano),
                        is_sum,
                    });
                }
            }
        }
    }
}

fn attributes(given: &[KeyValue]) -> Attributes {
    let named = given.iter().map(|one| (one.key.clone(), text(one.value.as_ref())));
    let attributes: Attributes = named.collect();
    assert_eq!(attributes.len(), given.len(), "two of one name: {given:?}");
    attributes
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => String::new(),
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        Some(Any::DoubleValue(number)) => number.to_string(),
        Some(Any::BoolValue(is_so)) => is_so.to_string(),
        Some(other) => format!("{other:?}"),
    }
}

fn partial(rejected: i64) -> Vec<u8> {
    let partial_success = ExportLogsPartialSuccess {
        rejected_log_records: rejected,
        error_message: "too old".to_owned(),
    };
    ExportLogsServiceResponse { partial_success: Some(partial_success) }.encode_to_vec()
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        let shared = shared.clone();
        std::thread::spawn(move || converse(stream, &shared));
    }
}

/// HTTP/1.1, as long as the client asks.
fn converse(stream: TcpStream, shared: &Shared) -> Option<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().ok()?), stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let (mut length, mut secret) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => secret = value.to_owned(),
                "content-type" => assert_eq!(value, "application/x-protobuf"),
                "content-encoding" => assert_eq!(value, "gzip"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, header, body) = match shared.take(&path, &secret, &body) {
            Reply::Accept => ("200 OK", String::new(), Vec::new()),
            Reply::Partial(rejected) => ("200 OK", String::new(), partial(rejected)),
            Reply::Garbage => ("200 OK", String::new(), vec![0xff; 9]),
            Reply::Refuse => ("400 Bad Request", String::new(), b"\x12\x05wrong".to_vec()),
            Reply::Later(after) => {
                let header = after.map(|seconds| format!("Retry-After: {seconds}\r\n"));
                ("503 Service Unavailable", header.unwrap_or_default(), Vec::new())
            }
            Reply::Hang => loop {
                std::thread::park();
            },
            Reply::Close => return None,
        };
        let kind = "Content-Type: application/x-protobuf";
        let head = format!(
            "HTTP/1.1 {status}\r\n{kind}\r\n{header}Content-Length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    }
}

fn serve_grpc(listener: TcpListener, shared: &Arc<Shared>) {
    listener.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::task::spawn_local(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    // A connection is driven by asking for more requests.
                    tokio::task::spawn_local(answer(request, respond, shared.clone()));
                }
            });
        }
    });
}

async fn answer(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
) {
    let (head, mut stream) = request.into_parts();
    let header =
        |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert_eq!((header("te"), header("grpc-encoding")), ("trailers".to_owned(), "gzip".to_owned()));
    let mut body = BytesMut::new();
    while let Some(Ok(part)) = stream.data().await {
        let _ = stream.flow_control().release_capacity(part.len());
        body.extend_from_slice(&part);
    }
    let length = u32::from_be_bytes(body[1..5].try_into().unwrap());
    assert_eq!((body[0], length as usize), (1, body.len() - 5));
    let reply = shared.take(head.uri.path(), &header("authorization"), &body[5..]);
    let message = |message: &[u8]| {
        Bytes::from([&[0][..], &(message.len() as u32).to_be_bytes(), message].concat())
    };
    let (body, trailers) = match reply {
        Reply::Accept => (message(&[]), trailers(0, None)),
        Reply::Partial(rejected) => (message(&partial(rejected)), trailers(0, None)),
        Reply::Garbage => (Bytes::from_static(b"\x09nonsense"), trailers(0, None)),
        Reply::Refuse => (Bytes::new(), trailers(3, None)),
        Reply::Later(after) => (Bytes::new(), trailers(14, after)),
        Reply::Hang => return std::future::pending().await,
        Reply::Close => return respond.send_reset(h2::Reason::INTERNAL_ERROR),
    };
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut stream = respond.send_response(head, false).unwrap();
    let _ = stream.send_data(body, false);
    let _ = stream.send_trailers(trailers);
}

/// `google.rpc.Status` with `google.rpc.RetryInfo`, by hand: the agent's own types are not tested with
/// themselves.
fn trailers(code: u8, after: Option<u32>) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    trailers.insert("grpc-message", HeaderValue::from_static("wrong%20thing"));
    if let Some(seconds) = after {
        let field = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8][..], bytes].concat();
        let info = field(0x0a, &[0x08, seconds as u8]);
        let kind = b"type.googleapis.com/google.rpc.RetryInfo";
        let any = [field(0x0a, kind), field(0x12, &info)].concat();
        let status = [vec![0x08, code], field(0x1a, &any)].concat();
        use base64::Engine;
        let encoded = base64::prelude::BASE64_STANDARD_NO_PAD.encode(status);
        trailers.insert("grpc-status-details-bin", encoded.parse().unwrap());
    }
    trailers
}
