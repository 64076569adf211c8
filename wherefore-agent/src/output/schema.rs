//! The JSON Schema of the records that are written for other programs, generated from their types. Owns the
//! list of these records; refuses to describe any of them by hand.

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::flow_record::FlowRecord;
use super::jsonl::{Event, SeriesRecord, TotalsRecord};
use crate::message::alert::{Alert, SCHEMA};

#[derive(OpenApi)]
#[openapi(components(schemas(FlowRecord<'_>, SeriesRecord<'_>, TotalsRecord<'_>, Event<'_>, Alert)))]
struct Records;

/// The document: JSON Schema 2020-12 that every line of any output meets.
pub fn document() -> Vec<u8> {
    let described = serde_json::to_value(Records::openapi()).unwrap_or_default();
    let mut types = described["components"]["schemas"].clone();
    refer(&mut types);
    let names = ["Flow", "Series", "Last", "Event", "Alert"];
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Records of Wherefore, version {SCHEMA}"),
        "description": "A line of --flows, --series, --alerts or piped standard output. Readers should ignore unknown fields.",
        "anyOf": names.map(|name| json!({ "$ref": format!("#/$defs/{name}") })),
        "$defs": types,
    });
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Points references at the place of the types in this document.
fn refer(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(place)) = fields.get_mut("$ref") {
                *place = place.replace("#/components/schemas/", "#/$defs/");
            }
            fields.values_mut().for_each(refer);
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}
