//! Skips many intervals without traffic at once. Owns the conditions under which the result is bit for bit
//! the same as judging each of them; refuses to skip otherwise.

use rustc_hash::FxHashMap;

use super::super::fast_path::FastPath;
use super::super::found::Found;
use super::Rarity;
use crate::detect::detectors::{SilentEvent, Test, Verdict, YOUTH};
use crate::detect::finding::Observed;
use crate::detect::kind::Kind;
use crate::detect::series::QuietGroup;

impl Rarity {
    /// How many intervals without traffic, up to `most`, can be skipped at once because none of them would
    /// cause a report. 0 if that is not certain.
    pub(in super::super) fn quiet_ahead(&self, groups: &[QuietGroup], most: u32) -> u32 {
        let ahead = u64::from(most).min(self.addresses.quiet_ahead()) as u32;
        let floor = self.budgets.floor();
        let is_quiet = self.totals.rarest_quiet(ahead) < floor
            && groups.iter().all(|group| self.is_quiet(group, ahead, floor));
        if is_quiet { ahead } else { 0 }
    }

    /// Whether a group's silence cannot alert.
    fn is_quiet(&self, group: &QuietGroup, intervals: u32, floor: f32) -> bool {
        let is_settled =
            self.reported.get(&group.slot).is_none_or(|reported| reported.rarest.is_none());
        if self.members.active(group.slot) < YOUTH || !is_settled {
            return is_settled;
        }
        let mut state = self.members.unpack(group.slot);
        let active = state.active();
        let is_old_news = |verdict: Verdict| {
            let found =
                Found { kind: Kind::Stop, surprise: verdict.score, what: Observed::Own(verdict) };
            verdict.test == Test::Gap && self.is_old_news(&found, &group.key, active)
        };
        let mut is_quiet = true;
        let mut visit = |what| {
            is_quiet &= match what {
                SilentEvent::Block(verdict) => verdict.score < floor,
                SilentEvent::Silence { first, last } => last.score < floor || is_old_news(first),
            }
        };
        self.detector.pass_quiet(&mut state, intervals.min(group.lives), Some(&mut visit));
        is_quiet
    }

    /// Ends this many intervals without traffic, at most [`Self::quiet_ahead`], the last of them `last`. The
    /// result is the same as judging each group and calling [`Self::close`] in each.
    pub(in super::super) fn pass_quiet(
        &mut self,
        groups: &[QuietGroup],
        intervals: u32,
        last: i64,
    ) {
        // Until when groups that are not young are judged.
        let mut ends = Vec::new();
        for group in groups {
            let lives = intervals.min(group.lives);
            let mut state = self.members.unpack(group.slot);
            if state.active() >= YOUTH {
                ends.push(lives);
            }
            self.detector.pass_quiet(&mut state, lives, None);
            self.members.pack(group.slot, &state);
        }
        ends.sort_unstable();
        let mut passed = 0;
        for (place, end) in ends.iter().chain([&intervals]).enumerate() {
            let judged = ends.len() - place.min(ends.len());
            self.volumes.pass(u64::from(end - passed), judged as u32);
            passed = *end;
        }
        self.waits = self.waits.saturating_sub(intervals);
        if self.waits == 0 {
            self.resumed = FxHashMap::default();
        }
        self.fast_path = FastPath::of(&self.volumes, self.budgets.floor());
        self.newcomers.pass_quiet(groups, intervals, last);
        self.hosts.pass(intervals.into());
        self.services.pass(intervals.into());
        self.churn.pass(intervals.into());
        self.addresses.pass_quiet(intervals.into());
        self.totals.pass_quiet(intervals);
        self.budgets.pass_quiet(intervals.into(), last);
    }
}
