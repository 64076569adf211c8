//! Reads times as people write them: `yesterday`, `2h`, `14:00`, `2026-11-28 14:00`. Owns their meaning; days
//! and hours are in this host's time zone.

use anyhow::{Result, bail};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Timestamp, ToSpan, Zoned};

use crate::usage::UsageError;

/// The time at which a query is asked.
#[derive(Debug, Clone)]
pub struct Clock {
    now: Zoned,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Clock {
    /// The current time of the host's clock.
    pub fn now() -> Self {
        Self { now: Zoned::now() }
    }

    /// Now, in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.now.timestamp().as_second()
    }

    /// The period between two times, in seconds since 1970, by whole minutes, including the minute of the
    /// second time. `since` and `to` name the options in errors.
    ///
    /// # Errors
    /// If a time is not understood, or the first is not before the second.
    pub fn span(&self, [first, last]: [&str; 2], since: &str, to: &str) -> Result<(i64, i64)> {
        let (from, end) = (self.parse(first, since)?, self.parse(last, to)?);
        if from >= end {
            bail!(UsageError(format!("{first} {since} is not before {last} {to}")));
        }
        let (from, end) = (from.as_second(), end.as_second());
        Ok((from.div_euclid(60) * 60, (end + 59).div_euclid(60) * 60))
    }

    fn parse(&self, option: &str, text: &str) -> Result<Timestamp> {
        self.meant(&text.trim().to_ascii_lowercase()).ok_or_else(|| {
            UsageError(format!(
                "{option} {text}: not a time such as yesterday, monday, 2h, 3 days ago, 14:00, \
                 2026-11-28, 2026-11-28 14:00 or 2026-11-28T14:00:00Z"
            ))
            .into()
        })
    }

    fn meant(&self, text: &str) -> Option<Timestamp> {
        let today = self.now.date();
        let day = |date: Date| Some(date.to_zoned(self.now.time_zone().clone()).ok()?.timestamp());
        let time =
            |time: DateTime| Some(time.to_zoned(self.now.time_zone().clone()).ok()?.timestamp());
        match text {
            "now" => return Some(self.now.timestamp()),
            "today" => return day(today),
            "yesterday" => return day(today.yesterday().ok()?),
            _ => {}
        }
        if let Some((_, weekday)) =
            WEEKDAYS.iter().find(|(name, _)| name.starts_with(text) && text.len() >= 3)
        {
            // The most recent day of this name that has begun.
            return day(today.tomorrow().ok()?.nth_weekday(-1, *weekday).ok()?);
        }
        let ago = text.trim_end_matches("ago").trim();
        if let Ok(ago) = humantime::parse_duration(ago) {
            let seconds = i64::try_from(ago.as_secs()).ok()?;
            return self.now.timestamp().checked_sub(seconds.seconds()).ok();
        }
        if let Ok(instant) = text.to_ascii_uppercase().parse::<Timestamp>() {
            return Some(instant);
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() <= "2026-11-28".len()
        {
            return day(date);
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return time(at);
        }
        text.parse::<Time>().ok().and_then(|at| time(today.to_datetime(at)))
    }

    /// A time with date and minute, in the host's time zone.
    pub fn shown(&self, seconds: i64) -> String {
        let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        time.to_zoned(self.now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The same, without the date if it is today.
    pub fn brief(&self, seconds: i64) -> String {
        let shown = self.shown(seconds);
        let today = self.now.strftime("%Y-%m-%d ").to_string();
        shown.strip_prefix(&today).map_or(shown.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> String {
        let now: Zoned = "2026-11-29T21:30:15+01:00[+01:00]".parse().unwrap();
        let clock = Clock { now };
        let meant = clock.meant(text);
        meant.map_or_else(|| "nothing".to_owned(), |time| time.to_string())
    }

    #[test]
    fn times_are_understood_as_people_write_them() {
        for (text, time) in [
            ("now", "2026-11-29T20:30:15Z"),
            ("today", "2026-11-28T23:00:00Z"),
            ("yesterday", "2026-11-27T23:00:00Z"),
            ("2h", "2026-11-29T18:30:15Z"),
            ("1d 2h ago", "2026-11-28T18:30:15Z"),
            ("3 days ago", "2026-11-26T20:30:15Z"),
            ("sunday", "2026-11-28T23:00:00Z"),
            ("mon", "2026-11-22T23:00:00Z"),
            ("14:00", "2026-11-29T13:00:00Z"),
            ("2026-11-28", "2026-11-27T23:00:00Z"),
            ("2026-11-28 14:00", "2026-11-28T13:00:00Z"),
            ("2026-11-28t14:00:00z", "2026-11-28T14:00:00Z"),
            ("soon", "nothing"),
            ("", "nothing"),
        ] {
            assert_eq!(meant(text), time, "{text}");
        }
    }
}
