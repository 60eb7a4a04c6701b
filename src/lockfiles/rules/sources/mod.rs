//! Sources: packages come from where they may come from, and nowhere else.

mod absolute_path;
mod causes;
mod credentials;
mod git_commit;
mod host_not_allowed;
mod index_not_allowed;
mod indexes;
mod inputs;
mod other_tools;
mod plain_http;
mod private_name_public;
mod project_indexes;
mod source_not_declared;
mod uses;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Sources",
    about: "Packages come from where they may come from, and nowhere else.",
    rules: &[
        &index_not_allowed::RULE,
        &host_not_allowed::RULE,
        &source_not_declared::RULE,
        &git_commit::RULE,
        &private_name_public::RULE,
        &plain_http::RULE,
        &credentials::RULE,
        &absolute_path::RULE,
    ],
};

/// Whether an index must not be used, as far as that is known.
pub fn is_index_refused(index: &str, facts: &Facts<'_>) -> bool {
    indexes::is_allowed(index, facts) == Some(false)
}
