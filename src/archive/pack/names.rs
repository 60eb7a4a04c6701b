//! The name of a path in the archive, as the official client writes it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

/// The way from `workspace` to `path`, both absolute and without detours; `.` for the workspace itself.
pub(super) fn relative(workspace: &Path, path: &Path) -> Vec<u8> {
    let mut from = workspace.components().peekable();
    let mut to = path.components().peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let mut name = Vec::new();
    let up = from.map(|_| b"..".as_slice());
    let down = to.filter_map(|part| match part {
        Component::Normal(part) => Some(part.as_bytes()),
        _ => None,
    });
    for part in up.chain(down) {
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(part);
    }
    if name.is_empty() {
        name.push(b'.');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_up_from_the_workspace_and_down_to_the_path() {
        for (path, name) in [
            ("/home/u/work/r/r", "."),
            ("/home/u/work/r/r/d/x", "d/x"),
            ("/home/u/.cache/uv", "../../../.cache/uv"),
            ("/opt/x", "../../../../../opt/x"),
            ("/home/u/work/r/rr", "../rr"),
            ("/home/u/work", "../.."),
        ] {
            let found = relative(Path::new("/home/u/work/r/r"), Path::new(path));
            assert_eq!(String::from_utf8(found).unwrap(), name);
        }
    }
}
