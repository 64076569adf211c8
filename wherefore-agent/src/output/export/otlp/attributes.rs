//! Attributes of records, and who sends them. Owns the conversion of values; names are those of the callers.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::Value as Json;

/// An attribute.
pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A text.
pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

/// A number; the protocol's largest for a larger one.
pub(super) fn number(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(whole(value)))
}

/// The largest number of the protocol for a larger one.
pub(super) fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A value of JSON; `None` for null, which is no value.
pub(super) fn of_json(value: &Json) -> Option<Value> {
    let any = |value: &Json| AnyValue { value: of_json(value) };
    Some(match value {
        Json::Null => return None,
        Json::Bool(is_so) => Value::BoolValue(*is_so),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::IntValue(number),
            None => Value::DoubleValue(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::StringValue(text.clone()),
        Json::Array(values) => {
            Value::ArrayValue(ArrayValue { values: values.iter().map(any).collect() })
        }
        Json::Object(fields) => Value::KvlistValue(KeyValueList {
            values: fields
                .iter()
                .filter_map(|(key, value)| Some(attribute(key, of_json(value)?)))
                .collect(),
        }),
    })
}

/// The transport protocol by OpenTelemetry's name, and its number.
pub(super) fn transport(protocol: u8) -> impl Iterator<Item = KeyValue> {
    let name = Some(crate::text::protocol(protocol)).filter(|name| !name.contains(' '));
    let name = name.map(|name| text("network.transport", name));
    name.into_iter().chain([number("wherefore.ip.protocol", protocol.into())])
}

/// Nanoseconds, which may precede 1970, unlike these times.
pub(super) fn time(nanoseconds: i64) -> u64 {
    nanoseconds.max(0).unsigned_abs()
}

/// The agent, as each request names it.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) resource: Resource,
    pub(super) scope: InstrumentationScope,
}

impl Origin {
    /// The agent on this host.
    pub(super) fn new(host: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let attributes = vec![
            text("service.name", "wherefore"),
            text("service.version", version),
            text("host.name", host),
            text("os.type", "linux"),
        ];
        let scope = InstrumentationScope {
            name: "wherefore".to_owned(),
            version: version.to_owned(),
            ..InstrumentationScope::default()
        };
        Self { resource: Resource { attributes, ..Resource::default() }, scope }
    }
}
