//! The packages of a compiled file, each with who asks for it.

use std::collections::HashMap;

use crate::lockfiles::compiled::Asker;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::compiled::View;
use crate::model::lockfile::{Package, Text};
use crate::model::sources::Located;

/// A package and who asks for it.
pub struct Pin<'p, 'a> {
    /// The package.
    pub package: &'p Package<'a>,
    /// Each annotation, and the input that it names; none where it names a package.
    pub via: Vec<(&'p Located<Text<'a>>, Option<Asker>)>,
}

impl<'p, 'a> Pin<'p, 'a> {
    /// Those of a compiled file; what it includes is not compiled.
    pub fn all(facts: &Facts<'a>, view: &View<'_>) -> Vec<Pin<'a, 'a>> {
        let lock = facts.lock;
        let via = lock.requirements().map_or(&[][..], |own| &own.via);
        let pins = lock.packages.iter().zip(via);
        let pins = pins.filter(|(package, _)| package.at.file == lock.file);
        pins.map(|(package, via)| Pin {
            package,
            via: via
                .iter()
                .map(|via| (via, view.recipe.asker(&via.value)))
                .collect(),
        })
        .collect()
    }

    /// The pins by their normalised names.
    pub fn by_name(pins: &[Self]) -> HashMap<&str, Vec<&Self>> {
        let mut found: HashMap<&str, Vec<&Self>> = HashMap::new();
        for pin in pins {
            let name = &*pin.package.name.normal;
            found.entry(name).or_default().push(pin);
        }
        found
    }

    /// The inputs among those who ask.
    pub fn askers(&self) -> impl Iterator<Item = (&'p Located<Text<'a>>, &Asker)> {
        self.via
            .iter()
            .filter_map(|(via, asker)| Some((*via, asker.as_ref()?)))
    }
}
