use std::io::{Cursor, Write as _};

use super::*;

const METADATA: &str = "Metadata-Version: 2.4\nName: Acme.App\nVersion: 1.2.0\nSummary: x\n";

/// A zip archive of these members, packed where they are long.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut output);
    for (name, content) in members {
        let (mut entry, config) = archive
            .new_file(rawzip::path::EntryPath::verbatim(name.as_bytes().to_vec()))
            .compression_method(rawzip::CompressionMethod::DEFLATE)
            .start()
            .unwrap();
        let encoder =
            flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    output
}

fn header(kind: tar::EntryType, name: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    header
}

/// A `.tar.gz` of these members.
pub(crate) fn tar_gz(members: &[(tar::EntryType, &[u8], &[u8])]) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (kind, name, content) in members {
        archive
            .append(&header(*kind, name, content.len() as u64), *content)
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

const FILE: tar::EntryType = tar::EntryType::Regular;

fn why(file: &str, content: Vec<u8>) -> String {
    let error = Package::read(file, Cursor::new(content)).unwrap_err();
    assert_eq!(error.kind, crate::error::Kind::Refused);
    error.message
}

const WHEEL: &str = "acme_app-1.2.0-py2.py3-none-any.whl";

#[test]
fn a_wheel_says_what_it_is() {
    let content = zip(&[
        ("acme_app/__init__.py", b""),
        ("acme_app/x.dist-info/METADATA", b"of somebody else"),
        ("acme_app-1.2.0.dist-info/METADATA", METADATA.as_bytes()),
    ]);
    let package = Package::read(WHEEL, Cursor::new(content)).unwrap();
    assert_eq!(
        (package.kind, package.python.as_str()),
        (Kind::Wheel, "py2.py3")
    );
    assert_eq!(package.normal_name(), "acme-app");
    assert_eq!(package.metadata.get("summary"), Some("x"));
    assert_eq!(package.metadata.description(), None);
}

#[test]
fn a_source_distribution_says_what_it_is() {
    let long = "acme_app-1.2/".to_owned() + &"d/".repeat(70) + "PKG-INFO\0";
    let content = tar_gz(&[
        (FILE, b"acme_app-1.2/PKG-INFO", METADATA.as_bytes()),
        (FILE, b"acme_app-1.2/acme_app.egg-info/PKG-INFO", b"another"),
        (
            tar::EntryType::GNULongName,
            b"././@LongLink",
            long.as_bytes(),
        ),
        (FILE, b"acme_app-1.2/PKG-INFO", b"not of this name"),
    ]);
    let package = Package::read("acme_app-1.2.tar.gz", Cursor::new(content)).unwrap();
    assert_eq!(
        (package.kind, package.python.as_str()),
        (Kind::Sdist, "source")
    );
    assert_eq!(package.metadata.version(), "1.2.0");
}

#[test]
fn a_wheel_that_is_none_is_refused_with_the_reason() {
    let info = "acme_app-1.2.0.dist-info/METADATA";
    let metadata = METADATA.as_bytes();
    let mut renamed = zip(&[(info, metadata)]);
    let at = memchr::memmem::find(&renamed, b"acme_app-1.2.0.dist-info").unwrap();
    renamed[at] = b'b';
    let bomb = vec![b' '; 9 << 20];
    let cases: &[(&str, Vec<u8>, &str)] = &[
        (WHEEL, b"PK\x03\x04 cut off".to_vec(), "no zip archive"),
        (WHEEL, Vec::new(), "no zip archive"),
        (WHEEL, zip(&[]), "no `METADATA`"),
        (
            WHEEL,
            zip(&[(info, metadata), (info, metadata)]),
            "is in it twice",
        ),
        (
            WHEEL,
            zip(&[(info, metadata), ("x-1.dist-info/METADATA", metadata)]),
            "it has metadata in",
        ),
        (WHEEL, zip(&[(info, &bomb)]), "more than 8388608 bytes"),
        (WHEEL, renamed, "another name in its own header"),
        (
            WHEEL,
            zip(&[(info, metadata), ("../../etc/cron.d/x", b"")]),
            "leads out of the folder",
        ),
        (
            WHEEL,
            zip(&[("a\\..\\b", b""), (info, metadata)]),
            "leads out of the folder",
        ),
        (
            "other-1.2.0-py3-none-any.whl",
            zip(&[(info, metadata)]),
            "those of `Acme.App`",
        ),
        (
            "acme_app-1.3.0-py3-none-any.whl",
            zip(&[(info, metadata)]),
            "say version `1.2.0`",
        ),
        (
            WHEEL,
            zip(&[(
                info,
                b"Metadata-Version: 2.1\nName: acme-app\nVersion: \xff\n",
            )]),
            "not UTF-8",
        ),
        ("acme_app-1.2.0.zip", zip(&[]), "neither a wheel"),
        (
            "a/acme_app-1.2.0-py3-none-any.whl",
            zip(&[]),
            "no plain file name",
        ),
    ];
    for (file, content, expected) in cases {
        let why = why(file, content.clone());
        assert!(why.contains(expected), "{file}: {expected}: {why}");
    }
}

#[test]
fn a_source_distribution_that_is_none_is_refused_with_the_reason() {
    let name = b"acme_app-1.2.0/PKG-INFO";
    let metadata = METADATA.as_bytes();
    let longest = vec![b'a'; 70 << 10];
    let cases: &[(Vec<u8>, &str)] = &[
        (b"plain".to_vec(), "no `.tar.gz`"),
        (tar_gz(&[(FILE, b"acme_app-1.2.0/x", b"")]), "no `PKG-INFO`"),
        (tar_gz(&[(FILE, b"PKG-INFO", metadata)]), "no `PKG-INFO`"),
        (
            tar_gz(&[(FILE, name, metadata), (FILE, name, metadata)]),
            "is in it twice",
        ),
        (
            tar_gz(&[
                (FILE, name, metadata),
                (tar::EntryType::XHeader, b"pax", b"19 path=x/PKG-INFO\n"),
                (FILE, b"y", metadata),
            ]),
            "it has metadata in",
        ),
        (
            tar_gz(&[
                (tar::EntryType::XHeader, b"pax", b"9 size=1\n"),
                (FILE, name, metadata),
            ]),
            "its size in an extended header",
        ),
        (
            tar_gz(&[(tar::EntryType::GNULongName, b"x", &longest)]),
            "more than 65536 bytes",
        ),
        (
            tar_gz(&[(tar::EntryType::Symlink, name, b"")]),
            "no plain file",
        ),
        (tar_gz(&[(FILE, b"../x", b"")]), "leads out of the folder"),
        (tar_gz(&[(FILE, b"\xff", b"")]), "is not UTF-8"),
    ];
    for (content, expected) in cases {
        let why = why("acme_app-1.2.0.tar.gz", content.clone());
        assert!(why.contains(expected), "{expected}: {why}");
    }
}

#[test]
fn metadata_are_read_as_mail_headers() {
    let text = "metadata-version: 2.1\r\nName: a\r\nVersion: 1\r\nLicense: one\r\n        two\r\nClassifier: x\r\nClassifier: y\r\n\r\n# Title\r\n\r\nBody: no field\r\n";
    let metadata = Metadata::parse(text.as_bytes()).unwrap();
    assert_eq!(metadata.get("License"), Some("one\n        two"));
    assert_eq!(metadata.all("classifier").collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(
        metadata.description(),
        Some("# Title\r\n\r\nBody: no field\r\n")
    );
}

#[test]
fn metadata_that_are_none_are_refused_with_the_reason() {
    let head = "Metadata-Version: 2.1\nName: a\nVersion: 1\n";
    let many = format!("{head}{}", "A: b\n".repeat(20_000));
    for (text, expected) in [
        ("", "no `Metadata-Version`"),
        ("Name: a\nVersion: 1\n", "no `Metadata-Version`"),
        (
            "Metadata-Version: 3.0\nName: a\nVersion: 1\n",
            "version `3.0`",
        ),
        ("Metadata-Version: 2.1\nName: \nVersion: 1\n", "no `Name`"),
        (
            "Metadata-Version: 2.1\nName: a b\nVersion: 1\n",
            "no name of a package",
        ),
        (&format!("{head}Version: 2\n"), "more than once"),
        (&format!("{head}no field\n"), "line 4"),
        (&format!(" x\n{head}"), "line 1"),
        (
            &format!("{head}Description: x\n\nbody"),
            "a description in a field",
        ),
        (&many, "more than 20000 fields"),
    ] {
        let why = Metadata::parse(text.as_bytes()).unwrap_err();
        assert!(why.contains(expected), "{expected}: {why}");
    }
}
