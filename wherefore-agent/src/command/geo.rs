//! `wherefore geo`: names, countries and AS of addresses. Owns the output: text on a terminal, otherwise JSON
//! Lines.

use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::attribute::geo::Country;
use crate::attribute::{Directory, Place, ask};
use crate::options::cli::GeoArgs;

/// An address with its facts; null if they are unknown.
#[derive(Serialize)]
struct PlaceRecord<'a> {
    address: IpAddr,
    name: Option<&'a str>,
    country: Option<Country>,
    asn: Option<u32>,
    as_name: Option<&'a str>,
}

/// A source of the data.
#[derive(Serialize)]
struct SourceRecord {
    source: String,
    date: String,
}

/// Prints the facts about each address, or the sources of the data.
///
/// # Errors
/// If a data file cannot be read.
pub fn geo(args: &GeoArgs) -> Result<()> {
    let directory = Directory::open(&args.places.live())?;
    let is_terminal = io::stdout().is_terminal();
    let mut output = io::stdout().lock();
    let mut write =
        |line: String| writeln!(output, "{line}").context("cannot write to standard output");
    for address in &args.addresses {
        let mut place = directory.place(*address);
        if args.places.resolve && place.name.is_none() {
            place.name = ask(*address).map(Into::into);
        }
        write(if is_terminal { sentence(*address, &place) } else { record(*address, &place)? })?;
    }
    if !args.addresses.is_empty() && !is_terminal {
        return Ok(());
    }
    for (source, date) in directory.sources() {
        let line = if is_terminal {
            format!("countries and AS: {source}, of {date}")
        } else {
            serde_json::to_string(&SourceRecord { source, date })?
        };
        write(line)?;
    }
    Ok(())
}

fn sentence(address: IpAddr, place: &Place<'_>) -> String {
    let known = place.to_string();
    format!("{address}  {}", if known.is_empty() { "nothing is known" } else { &known })
}

fn record(address: IpAddr, place: &Place<'_>) -> Result<String> {
    let Place { country, asn, as_name, name } = place;
    let (country, asn, as_name, name) = (*country, *asn, *as_name, name.as_deref());
    Ok(serde_json::to_string(&PlaceRecord { address, name, country, asn, as_name })?)
}
