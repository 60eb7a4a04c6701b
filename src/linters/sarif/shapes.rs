//! A result as the standard writes it, with what is used of it, borrowed from the input.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::linters::text::Text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultObject<'a> {
    #[serde(borrow)]
    pub(super) rule_id: Option<Text<'a>>,
    pub(super) rule_index: Option<i64>,
    #[serde(borrow)]
    pub(super) rule: Option<RuleReference<'a>>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) level: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    #[serde(borrow)]
    pub(super) locations: Option<FirstPlace<'a>>,
    #[serde(borrow)]
    pub(super) suppressions: Option<Vec<Suppression<'a>>>,
    #[serde(borrow)]
    pub(super) baseline_state: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) analysis_target: Option<ArtifactLocation<'a>>,
    pub(super) provenance: Option<Provenance>,
    #[serde(borrow)]
    pub(super) fixes: Option<Vec<FixObject<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Provenance {
    pub(super) invocation_index: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FixObject<'a> {
    #[serde(borrow)]
    pub(super) description: Option<Message<'a>>,
    #[serde(borrow)]
    pub(super) artifact_changes: Option<Vec<ArtifactChange<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactChange<'a> {
    #[serde(borrow)]
    pub(super) artifact_location: Option<ArtifactLocation<'a>>,
    #[serde(borrow)]
    pub(super) replacements: Option<Vec<Replacement<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replacement<'a> {
    pub(super) deleted_region: Option<RegionObject>,
    #[serde(borrow)]
    pub(super) inserted_content: Option<Content<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    pub(super) binary: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleReference<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) guid: Option<Text<'a>>,
    pub(super) index: Option<i64>,
    #[serde(borrow)]
    pub(super) tool_component: Option<ComponentReference<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ComponentReference<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) guid: Option<Text<'a>>,
    pub(super) index: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) markdown: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) arguments: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct Suppression<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Text<'a>>,
}

/// The first physical location of a result.
pub(super) struct FirstPlace<'a>(pub(super) Option<PhysicalLocation<'a>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) physical_location: Option<PhysicalLocation<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation<'a> {
    #[serde(borrow)]
    pub(super) artifact_location: Option<ArtifactLocation<'a>>,
    pub(super) region: Option<RegionObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation<'a> {
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) uri_base_id: Option<Text<'a>>,
    pub(super) index: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegionObject {
    pub(super) start_line: Option<i64>,
    pub(super) start_column: Option<i64>,
    pub(super) end_line: Option<i64>,
    pub(super) end_column: Option<i64>,
    pub(super) char_offset: Option<i64>,
    pub(super) char_length: Option<i64>,
    pub(super) byte_offset: Option<i64>,
    pub(super) byte_length: Option<i64>,
}

impl<'de: 'a, 'a> Deserialize<'de> for FirstPlace<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;
        impl<'de> Visitor<'de> for First {
            type Value = FirstPlace<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of locations")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut locations: A,
            ) -> Result<Self::Value, A::Error> {
                let mut first = None;
                while first.is_none() {
                    match locations.next_element::<Location<'_>>()? {
                        Some(location) => first = location.physical_location,
                        None => return Ok(FirstPlace(None)),
                    }
                }
                while locations.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstPlace(first))
            }
        }
        deserializer.deserialize_seq(First)
    }
}
