//! A class of letters, `[…]`. Follows `brace-expressions.ts` of minimatch 10, which writes it as a class of a regular
//! expression.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup as Group};

/// What a `[` begins.
pub(super) enum Class {
    /// No class: the bracket is a letter.
    None,
    /// A class of one letter, which is no wildcard, and how many units it takes behind its bracket.
    Letter(u16, usize),
    /// A class that nothing can match; it takes all that is left of the part.
    Never,
    /// A class, and how many units it takes behind its bracket.
    Body(Body, usize),
}

/// What stands in a class.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    is_negated: bool,
    items: Vec<Item>,
    /// The classes by name that are written as what they are not.
    excluded: Vec<Group>,
}

/// What stands in a class, as the regular expression spells it.
#[derive(Clone, Copy, Debug)]
enum Item {
    Letter(u16),
    Range(u16, u16),
    /// A letter, and the `-` at the end.
    WithDash(u16),
    Ascii,
    HexDigits,
    /// Of these categories, and of these few letters.
    Property(Group, &'static str),
}

/// The letters that a class matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    is_negated: bool,
    ranges: Vec<(u32, u32)>,
    properties: Vec<Group>,
    has_items: bool,
    excluded: Vec<Group>,
    /// Whether the class was negated, and so takes what is excluded.
    takes_excluded: bool,
}

/// The classes by name: whether letters are code points with them, and what they are. `Err` is what they are not.
fn by_name(rest: &[u16]) -> Option<(usize, Result<Item, Group>)> {
    let letters = Group::Letter.union(Group::LetterNumber);
    let alphanumeric = letters.union(Group::DecimalNumber);
    let property = |group| Ok(Item::Property(group, ""));
    let classes = [
        ("[:alnum:]", property(alphanumeric)),
        ("[:alpha:]", property(letters)),
        ("[:ascii:]", Ok(Item::Ascii)),
        ("[:blank:]", Ok(Item::Property(Group::SpaceSeparator, "\t"))),
        ("[:cntrl:]", property(Group::Control)),
        ("[:digit:]", property(Group::DecimalNumber)),
        ("[:graph:]", Err(Group::Separator.union(Group::Other))),
        ("[:lower:]", property(Group::LowercaseLetter)),
        // What cannot be printed, by a slip of the original.
        ("[:print:]", property(Group::Other)),
        ("[:punct:]", property(Group::Punctuation)),
        (
            "[:space:]",
            Ok(Item::Property(Group::Separator, "\t\r\n\u{b}\u{c}")),
        ),
        ("[:upper:]", property(Group::UppercaseLetter)),
        (
            "[:word:]",
            property(alphanumeric.union(Group::ConnectorPunctuation)),
        ),
        ("[:xdigit:]", Ok(Item::HexDigits)),
    ];
    classes.into_iter().find_map(|(name, item)| {
        let is_it = rest.len() >= name.len()
            && name
                .bytes()
                .zip(rest)
                .all(|(byte, unit)| u16::from(byte) == *unit);
        is_it.then_some((name.len(), item))
    })
}

fn is(unit: Option<&u16>, letter: u8) -> bool {
    unit == Some(&u16::from(letter))
}

/// Reads the class whose bracket stands before `start`.
pub(super) fn parse(units: &[u16], start: usize) -> Class {
    let mut body = Body::default();
    let mut at = start;
    let mut saw_start = false;
    let mut is_escaped = false;
    let mut range_start: Option<u16> = None;
    let mut end = None;
    while let Some(&unit) = units.get(at) {
        let is_unit = |letter| is(Some(&unit), letter);
        if at == start && (is_unit(b'!') || is_unit(b'^')) {
            body.is_negated = true;
            at += 1;
            continue;
        }
        if is_unit(b']') && saw_start && !is_escaped {
            end = Some(at + 1);
            break;
        }
        saw_start = true;
        if is_unit(b'\\') && !is_escaped {
            is_escaped = true;
            at += 1;
            continue;
        }
        if is_unit(b'[')
            && !is_escaped
            && let Some((length, item)) = by_name(units.get(at..).unwrap_or_default())
        {
            if range_start.is_some() {
                return Class::Never;
            }
            at += length;
            match item {
                Ok(item) => body.items.push(item),
                Err(group) => body.excluded.push(group),
            }
            continue;
        }
        is_escaped = false;
        at += 1;
        if let Some(first) = range_start.take() {
            // A range that runs backwards is left out.
            match first.cmp(&unit) {
                std::cmp::Ordering::Less => body.items.push(Item::Range(first, unit)),
                std::cmp::Ordering::Equal => body.items.push(Item::Letter(unit)),
                std::cmp::Ordering::Greater => {}
            }
        } else if is(units.get(at), b'-') && is(units.get(at + 1), b']') {
            body.items.push(Item::WithDash(unit));
            at += 1;
        } else if is(units.get(at), b'-') {
            range_start = Some(unit);
            at += 1;
        } else {
            body.items.push(Item::Letter(unit));
        }
    }
    let Some(end) = end else {
        return Class::None;
    };
    let length = end - start;
    match (&body.items[..], &body.excluded[..]) {
        ([], []) => Class::Never,
        ([Item::Letter(unit)], []) if !body.is_negated && !ends_line(*unit) => {
            Class::Letter(*unit, length)
        }
        _ => Class::Body(body, length),
    }
}

/// A line end is no `.` of a regular expression, so its class stays one.
fn ends_line(unit: u16) -> bool {
    matches!(unit, 0x0a | 0x0d | 0x2028 | 0x2029)
}

/// The code point of a pair of surrogates.
pub(super) fn pair(high: u32, low: u32) -> Option<u32> {
    let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    let mut decoded = char::decode_utf16(units);
    match (decoded.next(), decoded.next()) {
        (Some(Ok(character)), None) => Some(character.into()),
        _ => None,
    }
}

/// What a class is made of, in the spelling of the regular expression.
#[derive(Clone, Copy)]
enum Atom {
    Letter(u32),
    /// A `-` between two letters.
    To,
    Property(Group),
}

impl Body {
    /// Whether letters are code points with it.
    pub(super) fn has_property(&self) -> bool {
        !self.excluded.is_empty()
            || self
                .items
                .iter()
                .any(|item| matches!(item, Item::Property(..)))
    }

    /// The letters that it matches, or none where the regular expression would be in error.
    pub(super) fn resolve(mut self, by_code_point: bool) -> Option<Set> {
        let caret = u16::from(b'^');
        let mut is_negated = self.is_negated;
        // An escaped `^` in front is not escaped in the regular expression.
        let turned = match self.items.first() {
            Some(Item::Letter(unit)) if *unit == caret => Some(vec![]),
            Some(Item::WithDash(unit)) if *unit == caret => Some(vec![Item::Letter(b'-'.into())]),
            Some(Item::Range(unit, end)) if *unit == caret => {
                Some(vec![Item::Letter(b'-'.into()), Item::Letter(*end)])
            }
            _ => None,
        };
        if let Some(items) = turned.filter(|_| !is_negated) {
            is_negated = true;
            self.items.splice(0..1, items);
        }
        let mut atoms: Vec<Atom> = Vec::new();
        for item in &self.items {
            item.spell(by_code_point, &mut atoms);
        }
        let mut set = Set {
            is_negated,
            excluded: self.excluded,
            takes_excluded: self.is_negated,
            has_items: !atoms.is_empty() || is_negated != self.is_negated,
            ..Set::default()
        };
        let mut rest = &atoms[..];
        loop {
            rest = match rest {
                [Atom::Letter(first), Atom::To, Atom::Letter(last), rest @ ..] => {
                    if first > last {
                        return None;
                    }
                    set.ranges.push((*first, *last));
                    rest
                }
                [Atom::Letter(letter), rest @ ..] => {
                    set.ranges.push((*letter, *letter));
                    rest
                }
                [Atom::Property(group), rest @ ..] => {
                    set.properties.push(*group);
                    rest
                }
                [Atom::To, rest @ ..] => rest,
                [] => return Some(set),
            };
        }
    }
}

impl Item {
    fn spell(self, by_code_point: bool, atoms: &mut Vec<Atom>) {
        let mut letter = |unit: u32| {
            // Two halves of a character that come to stand together are one.
            if by_code_point
                && let Some(Atom::Letter(high)) = atoms.last_mut()
                && let Some(joined) = pair(*high, unit)
            {
                *high = joined;
            } else {
                atoms.push(Atom::Letter(unit));
            }
        };
        match self {
            Self::Letter(unit) => letter(unit.into()),
            Self::WithDash(unit) => {
                letter(unit.into());
                letter('-'.into());
            }
            Self::Range(first, last) => {
                letter(first.into());
                atoms.push(Atom::To);
                atoms.push(Atom::Letter(last.into()));
            }
            Self::Ascii => atoms.extend([Atom::Letter(0), Atom::To, Atom::Letter(0x7f)]),
            Self::HexDigits => {
                for (first, last) in [('A', 'F'), ('a', 'f'), ('0', '9')] {
                    atoms.extend([
                        Atom::Letter(first.into()),
                        Atom::To,
                        Atom::Letter(last.into()),
                    ]);
                }
            }
            Self::Property(group, letters) => {
                atoms.push(Atom::Property(group));
                atoms.extend(letters.chars().map(|one| Atom::Letter(one.into())));
            }
        }
    }
}

impl Set {
    pub(super) fn contains(&self, letter: u32) -> bool {
        let is_in = |groups: &[Group]| {
            !groups.is_empty() && {
                let category = CodePointMapData::<GeneralCategory>::new().get32(letter);
                groups.iter().any(|group| group.contains(category))
            }
        };
        let listed = self.has_items
            && (self
                .ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&letter))
                || is_in(&self.properties))
                != self.is_negated;
        listed || (!self.excluded.is_empty() && is_in(&self.excluded) == self.takes_excluded)
    }

    /// Whether the regular expression for it starts with `[`.
    pub(super) fn starts_with_bracket(&self) -> bool {
        !self.has_items || self.excluded.is_empty()
    }
}
