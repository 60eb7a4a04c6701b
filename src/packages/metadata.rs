//! Core Metadata (<https://packaging.python.org/en/latest/specifications/core-metadata/>): fields in the form of mail headers,
//! and the description behind them.

use crate::model::untrusted;

/// Fields that may stand once only.
const SINGLE: &[&str] = &[
    "Metadata-Version",
    "Name",
    "Version",
    "Summary",
    "Description",
    "Description-Content-Type",
    "Keywords",
    "Home-page",
    "Download-URL",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
    "License",
    "License-Expression",
    "Requires-Python",
];

/// More fields than any package has.
const MOST: usize = 20_000;

/// What a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    fields: Vec<(String, String)>,
    description: Option<String>,
    name: String,
    version: String,
    format: String,
}

impl Metadata {
    /// Reads the content of a `METADATA` or `PKG-INFO`; fails with a reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            format!("its metadata are not UTF-8 at byte {}", error.valid_up_to())
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (fields, body) = fields(text)?;
        for single in SINGLE {
            if all(&fields, single).count() > 1 {
                return Err(format!("`{single}` stands in its metadata more than once"));
            }
        }
        let required = |name: &str| {
            let value = all(&fields, name).next().map(str::trim);
            let value = value.filter(|value| !value.is_empty());
            value
                .map(str::to_owned)
                .ok_or_else(|| format!("its metadata have no `{name}`"))
        };
        let format = required("Metadata-Version")?;
        if !matches!(format.split_once('.'), Some(("1" | "2", minor)) if minor.parse::<u16>().is_ok())
        {
            return Err(format!(
                "its metadata are of version `{}`, and only 1.x and 2.x are known",
                untrusted::excerpt(&format, 100)
            ));
        }
        let (name, version) = (required("Name")?, required("Version")?);
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.ends_with(|last: char| last.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_name {
            return Err(format!(
                "`{}` in its metadata is no name of a package",
                untrusted::excerpt(&name, 100)
            ));
        }
        let in_field = all(&fields, "Description").next().map(str::to_owned);
        let in_body = (!body.trim().is_empty()).then(|| body.to_owned());
        if in_field.is_some() && in_body.is_some() {
            return Err(
                "its metadata have a description in a field and one behind them".to_owned(),
            );
        }
        Ok(Self {
            description: in_field.or(in_body),
            fields,
            name,
            version,
            format,
        })
    }

    /// The name as the package writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version as the package writes it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The version of the metadata themselves: `2.4`.
    pub fn metadata_version(&self) -> &str {
        &self.format
    }

    /// The long description.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The value of a field that may stand once; names go by letters in any case.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.all(field).next()
    }

    /// All values of a field, in order.
    pub fn all(&self, field: &str) -> impl Iterator<Item = &str> {
        all(&self.fields, field)
    }
}

fn all<'a>(fields: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    let own = move |(own, _): &&(String, String)| own.eq_ignore_ascii_case(name);
    fields.iter().filter(own).map(|(_, value)| value.as_str())
}

/// The fields in order, and what stands behind the first empty line.
type Parts<'t> = (Vec<(String, String)>, &'t str);

fn fields(text: &str) -> Result<Parts<'_>, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = behind;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let wrong = || {
            format!(
                "line {number} of its metadata is no field: `{}`",
                untrusted::line(&line.chars().take(80).collect::<String>())
            )
        };
        if line.starts_with([' ', '\t']) {
            // A line that goes on with the field above keeps its place, as index and installers read it.
            let (_, value) = fields.last_mut().ok_or_else(wrong)?;
            value.push('\n');
            value.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
        if !is_name {
            return Err(wrong());
        }
        if fields.len() == MOST {
            return Err(format!("its metadata have more than {MOST} fields"));
        }
        let value = value.trim_start_matches([' ', '\t']);
        fields.push((name.to_owned(), value.to_owned()));
    }
    Ok((fields, rest))
}
