//! Chooses the watched interfaces: the named ones, or that of the default route. Owns this choice; refuses to
//! read from the kernel.

use anyhow::{Context, Result, bail};

use super::interfaces::{Interface, counters, list};
use super::routes;
use super::selection::Selection;
use crate::descriptors;
use crate::usage::UsageError;

/// The interfaces with these names; without names, that of the default route or the busiest one.
///
/// # Errors
/// If a name is unknown (the error lists the known ones), or if no interface is up.
pub fn select(names: &[String]) -> Result<Selection> {
    let all = list()?;
    if names.is_empty() {
        return default_interface(&all).map(|one| Selection::default_route_by(one.index));
    }
    let selection = Selection::new(names);
    for name in selection.names() {
        if !all.iter().any(|interface| interface.names().any(|known| known == name)) {
            bail!(unknown(name, &all));
        }
    }
    Ok(selection)
}

fn unknown(name: &str, all: &[Interface]) -> UsageError {
    let names: Vec<_> = all.iter().map(|interface| interface.name.as_str()).collect();
    UsageError(format!(
        "there is no interface {name:?} in this network namespace; there are: {}",
        names.join(", ")
    ))
}

/// If the default route is selected, looks it up again; logs a change.
pub fn follow_default_route(selection: &mut Selection, there: &[Interface]) {
    let Some(before) = selection.default_route() else { return };
    let by_route = default_route_interface(there, Some(before));
    // While there is no such route, the previous interface stays.
    let stays = || there.iter().find(|interface| interface.index == before && interface.is_up);
    let Some(now) = by_route.or_else(stays).or_else(|| busiest(there)) else { return };
    if now.index != before {
        tracing::info!(
            interface = now.name,
            "the default route now uses this interface: watching it"
        );
        *selection = Selection::default_route_by(now.index);
    }
}

fn default_interface(all: &[Interface]) -> Result<&Interface> {
    let found = default_route_interface(all, None).or_else(|| busiest(all));
    found.context("no interface is up: name one with -i")
}

/// The interface that the default route leads to; `before` is the one until now.
fn default_route_interface(all: &[Interface], before: Option<u32>) -> Option<&Interface> {
    let index = routes::default_interface(before).unwrap_or_else(|error| {
        tracing::warn!(error = descriptors::explained(&error), "cannot read the default route");
        None
    });
    all.iter().find(|interface| Some(interface.index) == index && !interface.is_loopback)
}

/// The interface with the most traffic among those that are up.
fn busiest(all: &[Interface]) -> Option<&Interface> {
    let counters = counters().unwrap_or_default();
    let traffic = |interface: &Interface| {
        counters.get(&interface.index).map_or(0, |device| device.rx_bytes + device.tx_bytes)
    };
    let usable = all.iter().filter(|interface| interface.is_up && interface.framing.is_some());
    usable.max_by_key(|interface| (!interface.is_loopback, traffic(interface)))
}
