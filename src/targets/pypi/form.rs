//! The form of an upload: what the file says of itself, its digests, and the file.

use std::io;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

use crate::model::digest::hex;
use crate::targets::pypi::distribution::Distribution;

/// Fields of the form that stand once, and the metadata that they carry.
const SINGLE: &[(&str, &str)] = &[
    ("author", "Author"),
    ("author_email", "Author-email"),
    ("description_content_type", "Description-Content-Type"),
    ("download_url", "Download-URL"),
    ("home_page", "Home-page"),
    ("keywords", "Keywords"),
    ("license", "License"),
    ("license_expression", "License-Expression"),
    ("maintainer", "Maintainer"),
    ("maintainer_email", "Maintainer-email"),
    ("summary", "Summary"),
];

/// Those that may stand more than once.
const REPEATED: &[(&str, &str)] = &[
    ("classifiers", "Classifier"),
    ("dynamic", "Dynamic"),
    ("import_names", "Import-Name"),
    ("import_namespaces", "Import-Namespace"),
    ("license_file", "License-File"),
    ("obsoletes", "Obsoletes"),
    ("obsoletes_dist", "Obsoletes-Dist"),
    ("platform", "Platform"),
    ("project_urls", "Project-URL"),
    ("provides", "Provides"),
    ("provides_dist", "Provides-Dist"),
    ("provides_extra", "Provides-Extra"),
    ("requires", "Requires"),
    ("requires_dist", "Requires-Dist"),
    ("requires_external", "Requires-External"),
    ("supported_platform", "Supported-Platform"),
];

/// Names and values in the order in which they are sent.
pub(super) fn fields(distribution: &Distribution) -> Vec<(&'static str, String)> {
    let package = &distribution.package;
    let metadata = &package.metadata;
    let filetype = match package.kind {
        crate::packages::Kind::Wheel => "bdist_wheel",
        crate::packages::Kind::Sdist => "sdist",
    };
    let mut fields = vec![
        (":action", "file_upload".to_owned()),
        ("sha256_digest", hex(&distribution.sha256)),
        ("blake2_256_digest", hex(&distribution.blake2_256)),
        ("protocol_version", "1".to_owned()),
        ("metadata_version", metadata.metadata_version().to_owned()),
        ("name", metadata.name().to_owned()),
        ("version", metadata.version().to_owned()),
        ("filetype", filetype.to_owned()),
        ("pyversion", package.python.clone()),
    ];
    for (name, field) in SINGLE {
        let value = metadata.get(field).filter(|value| !value.is_empty());
        fields.extend(value.map(|value| (*name, value.to_owned())));
    }
    let description = metadata.description();
    fields.extend(description.map(|text| ("description", text.to_owned())));
    // Empty where there is none: one widely used index takes no form without it.
    let python = metadata.get("Requires-Python").unwrap_or_default();
    fields.push(("requires_python", python.to_owned()));
    for (name, field) in REPEATED {
        let values = metadata.all(field).map(|value| (*name, value.to_owned()));
        fields.extend(values);
    }
    fields
}

/// A form that is ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Form {
    boundary: String,
    head: Bytes,
    tail: Bytes,
    size: u64,
}

impl Form {
    /// With a boundary that nobody can foresee.
    pub fn new(distribution: &Distribution) -> Self {
        let random = [0; 4].map(|_: u8| getrandom::u64().unwrap_or(0x9e37_79b9_7f4a_7c15));
        let boundary: String = random.map(|number| format!("{number:016x}")).concat();
        let mut head = Vec::new();
        for (name, value) in fields(distribution) {
            let part = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            head.extend_from_slice(part.as_bytes());
        }
        // As browsers write it: a name cannot end the quotes.
        let file = distribution.package.file.replace('"', "%22");
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        head.extend_from_slice(part.as_bytes());
        let tail = format!("\r\n--{boundary}--\r\n");
        Self {
            size: (head.len() + tail.len()) as u64 + distribution.size,
            head: head.into(),
            tail: tail.into(),
            boundary,
        }
    }

    /// The type of the content.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Bytes in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The form with the pieces of the file in their place.
    pub fn pieces(
        &self,
        file: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let one = |bytes: &Bytes| stream::iter([Ok(bytes.clone())]);
        one(&self.head).chain(file).chain(one(&self.tail))
    }
}
