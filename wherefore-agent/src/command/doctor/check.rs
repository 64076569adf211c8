//! What came of a check. Owns the facts; who shows them is beside it.

use serde::Serialize;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: &'static str,
    /// How it stands.
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What that costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<String>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, at a cost.
    Costs,
    /// It does not work.
    Fails,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), cost: None, mend: None }
    }

    pub(super) fn costs(
        name: &'static str,
        found: impl Into<String>,
        cost: &str,
        mend: &str,
    ) -> Self {
        let (cost, mend) = (Some(cost.to_owned()), Some(mend.to_owned()));
        Self { name, state: State::Costs, found: found.into(), cost, mend }
    }

    pub(super) fn fails(
        name: &'static str,
        found: impl Into<String>,
        cost: &str,
        mend: &str,
    ) -> Self {
        Self { state: State::Fails, ..Self::costs(name, found, cost, mend) }
    }
}
