//! The result of a check. Owns the facts; the other files of this folder collect or show them.

use serde::Serialize;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// The subject of the check.
    pub(super) name: &'static str,
    /// The state.
    pub(super) state: State,
    /// The observation.
    pub(super) found: String,
    /// The consequence of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<String>,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

/// The state of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Everything is fine.
    Ok,
    /// It works, but with a disadvantage.
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
