//! Sends intervals to one collector: templates first, then names, flows and losses. Owns sequence numbers and
//! the times at which templates are repeated.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::collector::Collector;
use super::elements::{About, Field, Record, Shape, encoded_len};
use super::message::Message;
use super::pace::Pace;
use super::queue::{Load, Queue};
use super::sums::{Plan, overflow};
use super::transport::Transport;
use crate::traffic::interval::Interval;

/// Over UDP, templates are sent again after this time or this many messages: a collector that was started
/// later does not know them (RFC 7011, section 8.4).
const TEMPLATES_EVERY: Duration = Duration::from_secs(60);
const TEMPLATES_AFTER: u32 = 1000;
/// The pause after an attempt to reach the collector has failed.
const PAUSE: Duration = Duration::from_secs(2);
/// Records are sent at this multiple of the configured rate, so that an interval is sent long before the next
/// one is over.
const HASTE: u32 = 2;

/// An interval to be sent.
pub(super) struct Batch {
    pub(super) interval: Arc<Interval>,
    /// Its interfaces.
    pub(super) names: Arc<Vec<(u32, String)>>,
}

impl Load for Batch {
    fn interval(&self) -> &Interval {
        &self.interval
    }
}

/// The connection to a collector and its state.
pub(super) struct Sender {
    collector: Collector,
    rate: u32,
    /// The fields of every shape, by the number of its template.
    fields: BTreeMap<u16, Vec<Field>>,
    pace: Pace,
    session: Option<Session>,
    failed: Option<Instant>,
    /// Packets and bytes in no flow since the start.
    overflow: [u64; 2],
}

/// What the collector has received on this connection; reset with each connection.
struct Session {
    transport: Transport,
    /// The number of data records that were sent.
    sequence: u32,
    /// When templates were last sent, and the number of messages since.
    templates: Option<Instant>,
    messages: u32,
    names: BTreeMap<u32, String>,
    /// Losses and overflow that were last sent. Zeros are not sent.
    reported: ([u64; 3], [u64; 2]),
}

impl Sender {
    pub(super) fn new(collector: Collector, rate: u32) -> Self {
        let fields = Shape::all().map(|shape| (shape.id(), shape.fields())).collect();
        let pace = Pace::new(rate.saturating_mul(HASTE));
        Self { collector, rate, fields, pace, session: None, failed: None, overflow: [0; 2] }
    }

    /// Sends an interval. What cannot be sent counts as lost.
    pub(super) fn send(&mut self, batch: &Batch, queue: &Queue<Batch>) {
        let more = overflow(&batch.interval);
        self.overflow.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            queue.give_up("the last attempt to reach it failed a moment ago");
            return;
        }
        match self.try_send(batch, queue) {
            Ok(()) => {
                self.failed = None;
                queue.recovered();
            }
            Err(error) => {
                (self.session, self.failed) = (None, Some(Instant::now()));
                queue.give_up(&error.to_string());
            }
        }
    }

    fn try_send(&mut self, batch: &Batch, queue: &Queue<Batch>) -> io::Result<()> {
        if self.session.as_ref().is_some_and(|session| session.transport.is_over()) {
            self.session = None;
        }
        if self.session.is_none() {
            self.session = Some(Session::new(Transport::open(&self.collector)?));
        }
        let Some(session) = &mut self.session else { return Ok(()) };
        session.send_templates()?;
        session.send_names(&batch.names)?;
        let most = (f64::from(self.rate) * batch.interval.seconds()).ceil().max(1.0) as usize;
        let mut out = OutgoingInterval { session, pace: &mut self.pace, queue, summed_flows: 0 };
        out.send_flows(&batch.interval, most, &self.fields)?;
        let counters = queue.counters();
        let lost = [counters.lost_flows, counters.lost_packets, counters.lost_bytes];
        session.send_losses(lost, self.overflow)
    }
}

impl Session {
    fn new(transport: Transport) -> Self {
        let (sequence, messages, templates, reported) = (0, 0, None, Default::default());
        Self { transport, sequence, templates, messages, names: BTreeMap::new(), reported }
    }

    /// Sends the templates if they are due. Names and losses then follow.
    fn send_templates(&mut self) -> io::Result<()> {
        let is_due = self.templates.is_none_or(|sent| {
            let is_old = sent.elapsed() >= TEMPLATES_EVERY || self.messages >= TEMPLATES_AFTER;
            self.transport.is_lossy() && is_old
        });
        if !is_due {
            return Ok(());
        }
        self.names.clear();
        self.reported = Default::default();
        self.send(Message::of_templates(self.transport.most()))?;
        (self.templates, self.messages) = (Some(Instant::now()), 0);
        Ok(())
    }

    /// Sends the names of interfaces that are new or have changed.
    fn send_names(&mut self, names: &[(u32, String)]) -> io::Result<()> {
        let mut message = Message::new(self.transport.most());
        for (ifindex, name) in names {
            if self.names.get(ifindex) == Some(name) {
                continue;
            }
            self.names.insert(*ifindex, name.clone());
            let about = About::Interface { ifindex: *ifindex, name: name.clone() };
            if !message.has_room(about.id(), name.len() + 5) {
                let full = std::mem::replace(&mut message, Message::new(self.transport.most()));
                self.send(full)?;
            }
            message.add_about(&about);
        }
        self.send(message)
    }

    /// Sends losses if they have changed.
    fn send_losses(&mut self, lost: [u64; 3], overflow: [u64; 2]) -> io::Result<()> {
        if self.reported == (lost, overflow) {
            return Ok(());
        }
        self.reported = (lost, overflow);
        let mut message = Message::new(self.transport.most());
        message.add_about(&About::Losses { sums: lost });
        message.add_about(&About::Overflow { sums: overflow });
        self.send(message)
    }

    /// Sends a message without flows, unless it is empty.
    fn send(&mut self, message: Message) -> io::Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        let sealed = message.seal(now(), self.sequence);
        self.transport.send(&sealed.bytes)?;
        self.sequence = self.sequence.wrapping_add(sealed.records);
        self.messages += 1;
        Ok(())
    }
}

/// The flows of an interval while they are being sent.
struct OutgoingInterval<'a> {
    session: &'a mut Session,
    pace: &'a mut Pace,
    queue: &'a Queue<Batch>,
    /// The number of flows in sums of the current message.
    summed_flows: u64,
}

impl OutgoingInterval<'_> {
    fn send_flows(
        &mut self,
        interval: &Interval,
        most: usize,
        fields: &BTreeMap<u16, Vec<Field>>,
    ) -> io::Result<()> {
        let plan = Plan::new(&interval.flows, most);
        let alone = plan.alone.iter().map(|at| {
            let (key, counters) = interval.flows.get(*at as usize);
            (key, counters, 1, false)
        });
        let together = plan.together.iter().map(|(key, sum, flows)| (*key, *sum, *flows, true));
        let mut message = Message::new(self.session.transport.most());
        for (key, counters, flows, is_sum) in alone.chain(together) {
            let is_last = interval.is_partial;
            let record = Record { key: &key, counters: &counters, flows, is_sum, is_last };
            let id = Shape::of(&record).id();
            let Some(fields) = fields.get(&id) else { continue };
            if !message.has_room(id, encoded_len(fields)) {
                let next = Message::new(self.session.transport.most());
                self.send(std::mem::replace(&mut message, next))?;
            }
            message.add(&record, id, fields);
            self.summed_flows += if is_sum { u64::from(flows) } else { 0 };
        }
        self.send(message)
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        // Templates may also be due within a long interval.
        self.session.send_templates()?;
        let sealed = message.seal(now(), self.session.sequence);
        self.session.transport.send(&sealed.bytes)?;
        self.session.sequence = self.session.sequence.wrapping_add(sealed.records);
        self.session.messages += 1;
        self.queue.sent(sealed.sums, sealed.records.into(), std::mem::take(&mut self.summed_flows));
        if self.session.transport.is_lossy() {
            self.pace.wait(sealed.records, self.queue.is_behind());
        }
        Ok(())
    }
}

/// Seconds since 1970, limited to 32 bits.
fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as u32
}
