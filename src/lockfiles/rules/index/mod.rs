//! Published: what is new in a lock is what its index publishes.

mod file_not_published;
mod hash_not_published;
mod yanked;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Published",
    about: "What is new in a lock is what its index publishes. These rules need the network, and look only where \
            `index-check` asks for it: at hashes that the base has not, and at all where there is no base. An index that \
            cannot be asked, or publishes no hash of a file, means no verdict (exit code 3).",
    rules: &[
        &hash_not_published::RULE,
        &file_not_published::RULE,
        &yanked::RULE,
    ],
};

// In the examples the page of an index is a file whose path is an address.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_asks_for_the_network_by_its_input() {
        for rule in FAMILY.rules {
            for example in [rule.failing, rule.repaired] {
                assert_eq!(example.inputs, [("index-check", "true")], "{}", rule.id);
            }
        }
    }
}
