//! Findings in one JSON document: an array of them, or an object with such an array. They stream past one by one, in
//! memory for one.

use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};

use crate::linters::contract::Reading;

/// Reads a document that is an array, and passes on each of its elements.
pub(super) fn read_array<T: DeserializeOwned>(
    output: &mut dyn BufRead,
    each: impl FnMut(T, &mut Reading),
) -> Reading {
    let mut reading = Reading::default();
    let mut input = serde_json::Deserializer::from_reader(output);
    let parsed = Array::new(&mut reading, each)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    note_end(parsed, &mut reading);
    reading
}

/// Reads a document that is an object, and passes on each element of this member, which is an array.
pub(super) fn read_member<T: DeserializeOwned>(
    output: &mut dyn BufRead,
    member: &'static str,
    each: impl FnMut(T, &mut Reading),
) -> Reading {
    let mut reading = Reading::default();
    let mut input = serde_json::Deserializer::from_reader(output);
    let object = Object {
        member,
        reading: &mut reading,
        each: Some(each),
        element: PhantomData,
    };
    let parsed = object.deserialize(&mut input).and_then(|()| input.end());
    note_end(parsed, &mut reading);
    reading
}

/// Notes why a document could not be read to its end.
pub(super) fn note_end(parsed: serde_json::Result<()>, reading: &mut Reading) {
    match parsed {
        Ok(()) => {}
        Err(error) if error.is_eof() && !reading.has_output => {
            reading.fault("no complete JSON document");
        }
        Err(error) if error.is_eof() => reading.fault(format!("cut off: {error}")),
        Err(error) => reading.fault(format!("not the expected JSON document: {error}")),
    }
}

/// An array whose elements are passed on.
pub(super) struct Array<'r, T, F> {
    reading: &'r mut Reading,
    each: F,
    element: PhantomData<T>,
}

impl<'r, T, F: FnMut(T, &mut Reading)> Array<'r, T, F> {
    pub(super) fn new(reading: &'r mut Reading, each: F) -> Self {
        Self {
            reading,
            each,
            element: PhantomData,
        }
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T, &mut Reading)> DeserializeSeed<'de> for Array<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T, &mut Reading)> Visitor<'de> for Array<'_, T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of diagnostics")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.reading.has_output = true;
        while let Some(element) = list.next_element::<T>()? {
            (self.each)(element, self.reading);
        }
        Ok(())
    }
}

/// An object of which one member is used; the rest is skipped.
struct Object<'r, T, F> {
    member: &'static str,
    reading: &'r mut Reading,
    each: Option<F>,
    element: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T, &mut Reading)> DeserializeSeed<'de>
    for Object<'_, T, F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T, &mut Reading)> Visitor<'de> for Object<'_, T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with `{}`", self.member)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.reading.has_output = true;
        while let Some(key) = map.next_key::<String>()? {
            if key != self.member {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let Some(each) = self.each.take() else {
                return Err(A::Error::custom(format_args!("two members `{key}`")));
            };
            map.next_value_seed(Array::new(self.reading, each))?;
        }
        if self.each.is_some() {
            return Err(A::Error::missing_field(self.member));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str, member: Option<&'static str>) -> (Vec<u32>, Reading) {
        let mut seen = Vec::new();
        let each = |number: u32, _: &mut Reading| seen.push(number);
        let reading = match member {
            None => read_array(&mut text.as_bytes(), each),
            Some(member) => read_member(&mut text.as_bytes(), member, each),
        };
        (seen, reading)
    }

    #[test]
    fn elements_pass_until_the_document_breaks() {
        assert_eq!(numbers(" [1, 2]\n", None).0, [1, 2]);
        let (seen, reading) = numbers("[1, 2", None);
        assert_eq!(seen, [1, 2]);
        assert!(
            reading
                .fault
                .is_some_and(|fault| fault.starts_with("cut off"))
        );
        assert!(numbers("[1] [2]", None).1.fault.is_some());
        assert!(numbers("", None).1.fault.is_some());
    }

    #[test]
    fn a_member_stands_once() {
        let text = "{\"a\": {\"x\": [9]}, \"x\": [1, 2], \"b\": 3}";
        let (seen, reading) = numbers(text, Some("x"));
        assert_eq!((seen, reading.fault), (vec![1, 2], None));
        for broken in ["{}", "{\"x\": [1], \"x\": [2]}", "{\"x\": 1}", "[1]"] {
            assert!(numbers(broken, Some("x")).1.fault.is_some(), "{broken}");
        }
    }
}
