//! Values of a list that stands on one line: `ruff, mypy`.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};

/// Reads a value without the blanks around it, which stay where a list is split at its commas.
#[derive(Clone, Debug)]
pub struct Trimmed<P>(pub P);

impl<P: TypedValueParser> TypedValueParser for Trimmed<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        // What is not Unicode is for the parser within to refuse.
        let value = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
        self.0.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}
