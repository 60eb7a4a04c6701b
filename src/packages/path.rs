//! Names of members of an archive.

use crate::model::untrusted;

/// A name as text; fails with a reason where it is none, or leads out of the folder that the archive is unpacked in.
pub(super) fn checked(name: &[u8]) -> Result<&str, String> {
    let shown = || shown(&String::from_utf8_lossy(name.get(..400).unwrap_or(name)));
    let text = std::str::from_utf8(name)
        .map_err(|_| format!("the name of its member `{}` is not UTF-8", shown()))?;
    let is_drive = text.as_bytes().get(1) == Some(&b':');
    let leads_out = text.starts_with('/')
        || is_drive
        || text.contains(['\\', '\0'])
        || text.split('/').any(|part| part == "..");
    if leads_out {
        return Err(format!(
            "its member `{}` leads out of the folder that it is unpacked in",
            shown()
        ));
    }
    Ok(text)
}

/// A name of a member as it may be shown.
pub(super) fn shown(name: &str) -> String {
    untrusted::excerpt(name, 200)
}

/// That there are metadata in two places.
pub(super) fn second(first: &str, name: &str) -> String {
    if first == name {
        return format!("`{}` is in it twice", shown(name));
    }
    format!(
        "it has metadata in `{}` and in `{}`",
        shown(first),
        shown(name)
    )
}
