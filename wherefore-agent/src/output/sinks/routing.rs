//! Decides which alerts a sink gets. Owns the memory of incidents whose beginning a sink got: it also gets
//! their end, whatever the last message contains. Refuses to send.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::matcher::Matcher;
use super::settings::Routing;
use crate::message::alert::{Alert, Status};

/// The most incidents that are remembered for a sink. For further ones, each message is routed on its own.
const MOST_OPEN: usize = 10_000;

/// The incidents whose beginning the sink got and that are not over, by key.
#[derive(Debug, Default)]
pub(super) struct Open(Mutex<HashMap<String, Arc<Alert>>>);

impl Open {
    /// Starts with those of these incidents that the routing admits.
    pub(super) fn new(routing: &Routing, still_open: &[Arc<Alert>]) -> Self {
        let open = still_open.iter().filter(|alert| routing.matches(alert));
        let open = open.map(|alert| (alert.key.clone(), alert.clone())).take(MOST_OPEN);
        Self(Mutex::new(open.collect()))
    }

    /// The newest message about each.
    pub(super) fn alerts(&self) -> Vec<Arc<Alert>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().cloned().collect()
    }

    /// Whether the sink gets this message.
    pub(super) fn admits(&self, routing: &Routing, alert: &Arc<Alert>) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = open.contains_key(&alert.key);
        if !is_known && !routing.matches(alert) {
            return false;
        }
        match alert.status {
            Status::Resolved => {
                open.remove(&alert.key);
                routing.send_resolved
            }
            Status::Firing | Status::Update => {
                if is_known || open.len() < MOST_OPEN {
                    open.insert(alert.key.clone(), alert.clone());
                }
                // If an update is the first message that matches, the incident begins with it for this sink.
                alert.status == Status::Firing || !is_known || routing.send_updates
            }
        }
    }
}

/// Describes which incidents a sink gets, and which of their messages.
impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.min_probability.map(|least| format!("probability at least {least}"));
        let conditions = least.into_iter().chain(self.matches.iter().map(Matcher::to_string));
        let conditions: Vec<_> = conditions.collect();
        match &conditions[..] {
            [] => f.write_str("all incidents")?,
            some => write!(f, "incidents with {}", some.join(" and "))?,
        }
        let left_out = [(self.send_updates, "updates"), (self.send_resolved, "ends")];
        let left_out = left_out.iter().filter(|(is_sent, _)| !is_sent);
        left_out.into_iter().try_for_each(|(_, what)| write!(f, ", without {what}"))
    }
}

impl Routing {
    fn matches(&self, alert: &Alert) -> bool {
        self.min_probability.is_none_or(|least| alert.probability >= least)
            && self.matches.iter().all(|matcher| matcher.is_met(alert))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::alert::Severity;
    use crate::output::sinks::sample::sample;

    fn alert(status: Status, severity: Severity) -> Arc<Alert> {
        let labels = [("team".to_owned(), "net-1".to_owned())].into();
        Arc::new(Alert { severity, labels, src: "10.1.2.3".to_owned(), ..sample(status) })
    }

    fn routing(matches: &[&str]) -> Routing {
        let matches = matches.iter().map(|text| text.parse().unwrap()).collect();
        Routing { matches, ..Routing::default() }
    }

    fn admits(matches: &[&str]) -> bool {
        let alert = alert(Status::Firing, Severity::Warning);
        Open::default().admits(&routing(matches), &alert)
    }

    #[test]
    fn patterns_are_prefixes_globs_and_their_opposites() {
        assert!(admits(&[]));
        assert!(admits(&["src=10.0.0.0/8", "team=net-*", "severity=warning", "kind=test"]));
        assert!(admits(&["src=10.1.*", "src!=10.2.0.0/16", "other="]));
        assert!(!admits(&["src=192.0.2.0/24"]));
        assert!(!admits(&["src=10.0.0.0/8", "team=web-*"]));
        assert!(!admits(&["group_by!=pair"]));
        assert!(!admits(&["severity=crit*"]));
    }

    #[test]
    fn a_sink_that_got_the_start_gets_the_end() {
        let (open, routing) = (Open::default(), routing(&["severity=critical"]));
        assert!(!open.admits(&routing, &alert(Status::Firing, Severity::Warning)));
        assert!(!open.admits(&routing, &alert(Status::Resolved, Severity::Warning)));
        assert!(open.admits(&routing, &alert(Status::Firing, Severity::Critical)));
        assert!(open.admits(&routing, &alert(Status::Update, Severity::Warning)));
        assert_eq!(open.alerts().len(), 1);
        assert!(open.admits(&routing, &alert(Status::Resolved, Severity::Info)));
        assert!(!open.admits(&routing, &alert(Status::Resolved, Severity::Info)));
    }

    #[test]
    fn after_a_restart_too() {
        let routing = routing(&["severity=critical"]);
        let open = Open::new(&routing, &[alert(Status::Firing, Severity::Critical)]);
        assert!(open.admits(&routing, &alert(Status::Resolved, Severity::Info)));
    }

    #[test]
    fn a_routing_rule_has_a_description() {
        assert_eq!(Routing::default().to_string(), "all incidents");
        let matches = ["dst=10.0.0.0/8", "src!=192.0.2.1", "team=net-*"];
        let routing = Routing {
            min_probability: Some(0.99),
            send_resolved: false,
            send_updates: false,
            ..routing(&matches)
        };
        assert_eq!(
            routing.to_string(),
            "incidents with probability at least 0.99 and dst=10.0.0.0/8 and src!=192.0.2.1 \
             and team=net-*, without updates, without ends"
        );
    }

    #[test]
    fn updates_and_ends_can_be_left_out() {
        let routing = Routing { send_resolved: false, send_updates: false, ..Routing::default() };
        let open = Open::default();
        assert!(open.admits(&routing, &alert(Status::Update, Severity::Info)));
        assert!(!open.admits(&routing, &alert(Status::Update, Severity::Info)));
        assert!(!open.admits(&routing, &alert(Status::Resolved, Severity::Info)));
    }
}
