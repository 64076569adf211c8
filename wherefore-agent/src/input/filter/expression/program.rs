//! Translates a condition to a program: of any length for the host, of limited length for the kernel. Owns
//! the order of the tests; refuses to know the language.

use wherefore_common::select::{ACCEPT, Field, Fields, MAX_TESTS, Program, REJECT, Test};

use super::unsupported::Unsupported;

/// A condition on a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always true, or never.
    Constant(bool),
    /// A masked field is in a range.
    Range { field: Field, mask: u64, low: u64, high: u64 },
    /// All of these conditions hold.
    All(Vec<Condition>),
    /// At least one of these conditions holds.
    Any(Vec<Condition>),
    /// This condition does not hold.
    Not(Box<Condition>),
}

impl Condition {
    /// A field is equal to this number.
    pub(super) fn is(field: Field, number: u64) -> Self {
        Self::between(field, number, number)
    }

    /// Both conditions hold. A chain of them becomes one list, so that long ones do not nest.
    pub(super) fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut parts) => {
                parts.push(other);
                Self::All(parts)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// One of both conditions holds. A chain of them becomes one list.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut parts) => {
                parts.push(other);
                Self::Any(parts)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// A field lies in this range.
    pub(super) fn between(field: Field, low: u64, high: u64) -> Self {
        Self::Range { field, mask: u64::MAX, low, high }
    }
}

/// Where to go after a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Accept,
    Reject,
    /// To the test at this position in the reversed program.
    Test(usize),
}

/// A program of any length, built from its end to its beginning, so that every target exists before it is
/// needed and every jump goes forward.
#[derive(Debug, Clone, Default)]
pub(super) struct Reversed {
    tests: Vec<(Test, Target, Target)>,
}

/// The program that accepts the packets that meet the condition.
pub(super) fn translate(condition: &Condition) -> Reversed {
    let mut reversed = Reversed::default();
    let first = reversed.add(condition, Target::Accept, Target::Reject);
    match first {
        // After a constant, there may be tests that are never reached.
        Target::Test(place) => reversed.tests.truncate(place + 1),
        // A constant: a test that always holds, with one target.
        Target::Accept | Target::Reject => {
            reversed.tests.clear();
            reversed.add(&Condition::between(Field::Family, 0, u64::MAX), first, first);
        }
    }
    reversed
}

impl Reversed {
    /// Whether packets with these fields are watched; see [`Program::accepts`].
    pub(super) fn accepts(&self, fields: &Fields) -> bool {
        let mut target = Target::Test(self.tests.len().saturating_sub(1));
        while let Target::Test(place) = target {
            let Some((test, then, otherwise)) = self.tests.get(place) else { return false };
            let number = fields[test.field as usize & 7] & test.mask;
            let holds = number.wrapping_sub(test.low) <= test.span;
            target = if holds { *then } else { *otherwise };
        }
        target == Target::Accept
    }

    /// Adds the tests of the condition in front of the existing ones; returns where the condition begins.
    fn add(&mut self, condition: &Condition, then: Target, otherwise: Target) -> Target {
        match condition {
            Condition::Constant(true) => then,
            Condition::Constant(false) => otherwise,
            Condition::Not(inner) => self.add(inner, otherwise, then),
            Condition::All(parts) => {
                parts.iter().rev().fold(then, |next, part| self.add(part, next, otherwise))
            }
            Condition::Any(parts) => {
                parts.iter().rev().fold(otherwise, |next, part| self.add(part, then, next))
            }
            Condition::Range { field, mask, low, high } => {
                let (field, mask, low) = (*field as u64, *mask, *low);
                let test = Test { field, mask, low, span: high - low, ..Test::default() };
                self.tests.push((test, then, otherwise));
                Target::Test(self.tests.len() - 1)
            }
        }
    }

    /// The same program for the kernel.
    ///
    /// # Errors
    /// If it is too long.
    pub(super) fn program(&self) -> Result<Program, Unsupported> {
        let count = self.tests.len();
        if count > MAX_TESTS {
            return Err(Unsupported(format!(
                "{count} tests, where a program holds {MAX_TESTS} (long lists of prefixes are for \
                 --filter-ip-cidr)"
            )));
        }
        let number = |target| match target {
            Target::Accept => ACCEPT,
            Target::Reject => REJECT,
            Target::Test(reversed) => (count - 1 - reversed) as u8,
        };
        let mut program = Program { tests: [Test::default(); MAX_TESTS] };
        for (place, (test, then, otherwise)) in
            program.tests.iter_mut().zip(self.tests.iter().rev())
        {
            *place = Test { then: number(*then), otherwise: number(*otherwise), ..*test };
        }
        Ok(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wherefore_common::FlowKey;
    use wherefore_common::select::fields;

    fn accepts(condition: &Condition, key: &FlowKey) -> bool {
        let tests = translate(condition);
        let program = tests.program().expect("it fits");
        for (at, test) in program.tests.iter().enumerate().filter(|(_, test)| test.then != 0) {
            let is_forward = |target: u8| target >= REJECT || usize::from(target) > at;
            assert!(is_forward(test.then) && is_forward(test.otherwise), "{program:?}");
        }
        assert_eq!(tests.accepts(&fields(key)), program.accepts(&fields(key)), "{program:?}");
        program.accepts(&fields(key))
    }

    #[test]
    fn conditions_mean_what_they_say() {
        let key = FlowKey { sport: 80, protocol: 6, ..FlowKey::default() };
        let yes = || Condition::is(Field::SourcePort, 80);
        let no = || Condition::is(Field::Protocol, 17);
        let not = |condition| Condition::Not(Box::new(condition));
        assert!(accepts(&Condition::All(vec![yes(), not(no()), yes()]), &key));
        assert!(!accepts(&Condition::All(vec![yes(), no()]), &key));
        assert!(accepts(&Condition::Any(vec![no(), yes()]), &key));
        assert!(!accepts(&Condition::Any(vec![no(), not(yes())]), &key));
        assert!(accepts(&Condition::Constant(true), &key));
        assert!(!accepts(&not(Condition::Constant(true)), &key));
        assert!(accepts(&not(Condition::All(vec![yes(), Condition::Any(vec![no()])])), &key));
        // The test after the constant is never reached.
        let dead = Condition::All(vec![Condition::Constant(false), yes()]);
        assert!(!accepts(&dead, &key) && !accepts(&Condition::Any(vec![dead, no()]), &key));
    }

    #[test]
    fn a_program_has_a_maximum_number_of_tests() {
        let of = |count| {
            let tests = (0..count).map(|port| Condition::is(Field::SourcePort, port)).collect();
            translate(&Condition::Any(tests))
        };
        let full = of(MAX_TESTS as u64).program().expect("it fits");
        let last = FlowKey { sport: MAX_TESTS as u16 - 1, ..FlowKey::default() };
        assert!(full.accepts(&fields(&last)));
        let longer = of(MAX_TESTS as u64 + 1);
        assert!(longer.program().is_err());
        let beyond = |sport| fields(&FlowKey { sport, ..FlowKey::default() });
        let most = MAX_TESTS as u16;
        assert!(longer.accepts(&beyond(most)) && !longer.accepts(&beyond(most + 1)));
    }
}
