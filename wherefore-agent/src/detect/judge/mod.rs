//! From counts to findings: which groups, addresses and interfaces are unusual in an interval. Owns the two
//! kinds of judgement and their state; refuses to open incidents, to compose text, to read a clock and to do
//! I/O.

mod address_reports;
pub mod budget;
mod budgets;
mod calling;
mod churn;
mod circumstances;
mod fast_path;
mod first_flows;
mod found;
mod hosts;
mod methods;
mod newcomers;
mod rarity;
mod rules;
mod schedule;
mod silences;
mod snapshot;
mod totals;
mod visits;

use wherefore_common::{Counters, FlowKey};

use crate::detect::finding::Finding;
use crate::detect::held::HeldBacks;
use crate::detect::series::{BaselineUpdate, QuietGroup, Series, Window};
use crate::detect::settings::EngineSettings;
use crate::traffic::interval::Interval;

pub use circumstances::Circumstances;
use methods::Methods;
use rarity::Rarity;
pub use snapshot::Snapshot;

/// How groups are judged.
#[derive(Debug, Clone)]
pub enum Judge {
    /// By the seven methods of the Go tool, and a threshold.
    Methods(Box<Methods>),
    /// By rarity, and a budget of alerts.
    Rarity(Box<Rarity>),
}

impl Judge {
    /// Without a baseline.
    ///
    /// # Errors
    /// If the anomalyzer's options contradict each other.
    pub fn new(settings: &EngineSettings) -> anyhow::Result<Self> {
        Ok(match &settings.rarity {
            Some(rarity) => Self::Rarity(Box::new(Rarity::new(rarity.clone(), settings))),
            None => Self::Methods(Box::new(Methods::new(settings)?)),
        })
    }

    /// Continues with other settings. The baselines are kept, unless they cannot be used with these settings.
    ///
    /// # Errors
    /// If the anomalyzer's options contradict each other; nothing is changed then.
    pub fn reconfigure(&mut self, settings: &EngineSettings) -> anyhow::Result<()> {
        match (self, &settings.rarity) {
            (Self::Rarity(rarity), Some(next)) => rarity.reconfigure(next.clone(), settings),
            (judge, _) => *judge = Self::new(settings)?,
        }
        Ok(())
    }

    /// The number of intervals of an earlier run from which the baselines come.
    pub fn past_intervals(&self) -> usize {
        match self {
            Self::Methods(_) => 0,
            Self::Rarity(rarity) => rarity.past_intervals(),
        }
    }

    /// The state that survives a restart, if there is any; `name` names interfaces.
    pub fn snapshot(&self, series: &Series, name: &dyn Fn(u32) -> String) -> Option<Snapshot> {
        match self {
            Self::Methods(_) => None,
            Self::Rarity(rarity) => Some(rarity.snapshot(series, name)),
        }
    }

    /// Continues with the state of an earlier run; `ifindex` finds interfaces by name.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub fn resume(
        &mut self,
        past: Snapshot,
        ifindex: &dyn Fn(&str) -> Option<u32>,
    ) -> Result<(), &'static str> {
        match self {
            Self::Methods(_) => Err("the methods look no farther back than a window"),
            Self::Rarity(rarity) => rarity.resume(past, ifindex),
        }
    }

    /// Before the first interval after a restart: passes the time in which nobody was watching.
    pub fn catch_up(&mut self, start_ns: i64) {
        if let Self::Rarity(rarity) = self {
            rarity.catch_up(start_ns);
        }
    }

    /// Adds the counts of a flow in the current interval, to judge subjects other than groups.
    pub fn collect(&mut self, flow: &FlowKey, counters: impl FnOnce() -> Counters) {
        if let Self::Rarity(rarity) = self {
            rarity.collect(flow, &counters());
        }
    }

    /// Judges a group. Returns the finding, if there is one, and how the interval affects its baseline.
    pub fn judge(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> (Option<Finding>, BaselineUpdate) {
        match self {
            Self::Methods(methods) => methods.judge(window, around),
            Self::Rarity(rarity) => rarity.judge(window, around),
        }
    }

    /// Ends an interval. Judges subjects that are not groups, unless findings about groups explain them.
    pub fn close(
        &mut self,
        interval: &Interval,
        around: Circumstances,
        findings: &mut Vec<Finding>,
    ) {
        if let Self::Rarity(rarity) = self {
            rarity.close(interval, around, findings);
        }
    }

    /// Takes the findings that were held back since the last call. The methods hold nothing back.
    pub fn take_held(&mut self) -> HeldBacks {
        match self {
            Self::Methods(_) => HeldBacks::default(),
            Self::Rarity(rarity) => rarity.take_held(),
        }
    }

    /// How many intervals without traffic, up to `most`, can be skipped at once because none of them has a
    /// finding. 0 if that is not certain.
    pub fn quiet_ahead(&mut self, groups: &[QuietGroup], most: u32) -> u32 {
        match self {
            Self::Methods(methods) => {
                if methods.is_idle(groups) {
                    most
                } else {
                    0
                }
            }
            Self::Rarity(rarity) => rarity.quiet_ahead(groups, most),
        }
    }

    /// Ends this many intervals without traffic, at most [`Self::quiet_ahead`], the last of them
    /// `last`.
    pub fn pass_quiet(&mut self, groups: &[QuietGroup], intervals: u32, last: i64) {
        if let Self::Rarity(rarity) = self {
            rarity.pass_quiet(groups, intervals, last);
        }
    }

    /// Skips intervals without traffic, up to interval `last`, after all groups were forgotten.
    pub fn skip(&mut self, intervals: u64, last: i64) {
        if let Self::Rarity(rarity) = self {
            rarity.skip(intervals, last);
        }
    }
}
