use super::*;
use crate::lockfiles::facts::Before;
use crate::lockfiles::policy::Policy;
use crate::lockfiles::read as read_lock;
use crate::model::lockfile::Format;
use crate::model::sources::Sources;

const HASH: &str = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274";

fn names(page: &Page) -> Vec<&str> {
    page.files.iter().map(|file| &*file.name).collect()
}

#[test]
fn pages_in_html_are_read_as_installers_read_them() {
    let page = read(
        "\u{feff}<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.4\"></head>\n<!-- <a href=\"no-1.0.zip\">no</a> -->\n<A\n HREF='../../x/six-1.17.0.tar.gz#sha256=ab&amp;egg=six' data-yanked=\"it &quot;broke&quot; &#60;a&gt;\">whatever</A><br/>\n<a class=b href=six-1.17.0-py2.py3-none-any.whl#md5=cd>x</a>\n<a href=\"torch-2.5.1%2Bcpu-cp311-cp311-linux_x86_64.whl\" data-yanked>t</a><a href=\"../\">up</a><a>none</a>"
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(
        names(&page),
        [
            "six-1.17.0.tar.gz",
            "six-1.17.0-py2.py3-none-any.whl",
            "torch-2.5.1+cpu-cp311-cp311-linux_x86_64.whl"
        ]
    );
    let [first, second, third] = page.files.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(first.hashes, [("sha256".to_owned(), "ab".to_owned())]);
    assert_eq!(first.yanked.as_deref(), Some("it \"broke\" <a>"));
    assert_eq!(second.hashes, [("md5".to_owned(), "cd".to_owned())]);
    assert_eq!(
        (second.yanked.as_deref(), third.yanked.as_deref()),
        (None, Some(""))
    );
}

#[test]
fn what_is_no_page_of_an_index_is_none() {
    for (text, reason) in [
        ("", "it names no file"),
        ("<html><a href=\"/login\">sign in</a>", "it names no file"),
        ("{\"files\": 3}", "no answer of the simple API"),
        (
            "{\"meta\": {}, \"files\": []}",
            "no answer of the simple API",
        ),
        (
            "{\"meta\": {\"api-version\": \"2.0\"}, \"files\": []}",
            "version `2.0`",
        ),
        (
            "<meta name=\"pypi:repository-version\" content=\"2.0\"><a href=\"a-1.zip\">",
            "version `2.0`",
        ),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!(read(b"<a href=\xff>").is_err());
    // Nothing of a stranger's makes a reader go on for ever or break.
    for text in [
        "<a",
        "<a ",
        "<a href",
        "<a href=",
        "<a href='x",
        "<!--",
        "<",
        "<a = = =>",
        "<a é=é ü>",
        "&#xffffffff;<a href='&#xd800;&;&x'>",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    let many = format!("<a href=\"a-1.zip\">{}", "<a x=\"".repeat(100_000));
    assert_eq!(read(many.as_bytes()).map(|page| page.files.len()), Ok(1));
    assert!(read("{".repeat(100_000).as_bytes()).is_err());
}

/// How a lock compares with these pages: line, and what is wrong.
fn outcomes(
    (format, name): (Format, &str),
    lock: &str,
    before: Option<&str>,
    pages: &[(&str, Result<Page, String>)],
) -> Vec<(u32, Kind)> {
    let mut sources = Sources::default();
    let file = sources.add(name, lock.as_bytes().to_vec()).unwrap();
    let reading = read_lock(format, file, &sources);
    let mut sources_before = Sources::default();
    let before = before.map(|text| {
        let text = text.as_bytes().to_vec();
        sources_before.add(name, text).unwrap()
    });
    let reading_before = before.map(|file| read_lock(format, file, &sources_before));
    let published = Published {
        pages: pages
            .iter()
            .map(|(url, page)| ((*url).to_owned(), page.clone()))
            .collect(),
    };
    let policy = Policy {
        index_check: true,
        index_url: Some("https://mirror.example/simple/".to_owned()),
        ..Policy::default()
    };
    let facts = Facts {
        published: Some(&published),
        base: reading_before.as_ref().map(|reading| Before {
            sources: &sources_before,
            lock: reading.lockfile.as_ref(),
            declared: None,
        }),
        ..Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy)
    };
    let wanted = super::pages(&facts);
    assert!(
        wanted.iter().all(|page| published.pages.contains_key(page)),
        "{wanted:?}"
    );
    compare(&facts)
        .into_iter()
        .map(|outcome| (sources.line(outcome.at), outcome.kind))
        .collect()
}

fn page(files: &[(&str, &str)]) -> Page {
    let file = |(name, digest): &(&str, &str)| PublishedFile {
        name: (*name).to_owned(),
        hashes: vec![("sha256".to_owned(), (*digest).to_owned())],
        yanked: None,
        uploaded: None,
    };
    Page {
        files: files.iter().map(file).collect(),
        is_missing: false,
    }
}

const PIPFILE: (Format, &str) = (Format::Pipfile, "Pipfile.lock");

fn pipfile(hash: &str, index: &str) -> String {
    format!(
        "{{\"_meta\": {{\"hash\": {{\"sha256\": \"00\"}}, \"pipfile-spec\": 6, \"requires\": {{}}, \"sources\": [\n{{\"name\": \"own\", \"url\": \"https://${{USER}}:${{PW}}@index.example/simple/\", \"verify_ssl\": true}}]}},\n\"default\": {{\n\"six\": {{\n\"hashes\": [\n\"sha256:{hash}\"],\n\"index\": \"{index}\",\n\"version\": \"==1.17.0\"}}}},\n\"develop\": {{}}}}\n"
    )
}

#[test]
fn hashes_of_a_package_are_those_of_the_files_of_its_version() {
    let url = "https://index.example/simple/six/";
    let files = [
        ("six-1.17.0-py2.py3-none-any.whl", HASH),
        ("six-1.16.0.tar.gz", "aa"),
    ];
    let kinds =
        |hash: &str, page: Page| outcomes(PIPFILE, &pipfile(hash, "own"), None, &[(url, Ok(page))]);
    assert_eq!(kinds(&HASH.to_uppercase(), page(&files)), []);
    let of = Some("six-1.16.0.tar.gz".to_owned());
    assert_eq!(kinds("aa", page(&files)), [(6, Kind::NoSuchHash { of })]);
    assert_eq!(
        kinds("bb", page(&files)),
        [(6, Kind::NoSuchHash { of: None })]
    );
    assert_eq!(kinds("aa", page(&files[1..]))[0].1, Kind::NoSuchVersion);
    let mut bare = page(&files);
    bare.files[0].hashes.clear();
    assert!(
        matches!(&kinds("bb", bare)[0].1, Kind::Unseen(why) if why.contains("no sha256 hash of `six-1.17.0"))
    );
    let missing = Page {
        is_missing: true,
        ..Page::default()
    };
    assert!(
        matches!(&kinds(HASH, missing)[0].1, Kind::NoSuchProject(index) if index == "`https://index.example/simple/`")
    );
    let mut yanked = page(&files);
    yanked.files[0].yanked = Some("why".to_owned());
    assert_eq!(kinds(HASH, yanked), [(8, Kind::Yanked("why".to_owned()))]);
}

#[test]
fn what_nobody_can_ask_is_told_and_what_the_base_has_is_not_asked() {
    let lock = pipfile(HASH, "other");
    let found = outcomes(PIPFILE, &lock, None, &[]);
    assert!(matches!(&found[0].1, Kind::Unseen(why) if why.contains("no index `other`")));
    let url = "https://index.example/simple/six/";
    let failed = Err("it sleeps".to_owned());
    let lock = pipfile(HASH, "own");
    let found = outcomes(PIPFILE, &lock, None, &[(url, failed)]);
    assert_eq!(found, [(4, Kind::Unseen("it sleeps".to_owned()))]);
    assert_eq!(outcomes(PIPFILE, &lock, Some(&lock), &[]), []);
    let before = pipfile("00", "own");
    let found = outcomes(PIPFILE, &lock, Some(&before), &[(url, Ok(page(&[])))]);
    assert_eq!(found, [(8, Kind::NoSuchVersion)]);
}

#[test]
fn the_indexes_of_requirements_are_those_of_their_options() {
    let requirements = (Format::Requirements, "requirements.txt");
    let pin = format!("six==1.17.0 --hash=sha256:{HASH}\n");
    let own = page(&[("six-1.17.0.tar.gz", HASH)]);
    let mirror = "https://mirror.example/simple/six/";
    assert_eq!(
        outcomes(requirements, &pin, None, &[(mirror, Ok(own.clone()))]),
        []
    );
    let lock = format!(
        "--index-url https://me:pw@a.example/simple\n--extra-index-url https://b.example/s/\n{pin}"
    );
    let both = [
        ("https://a.example/simple/six/", Ok(page(&[]))),
        ("https://b.example/s/six/", Ok(own)),
    ];
    assert_eq!(outcomes(requirements, &lock, None, &both), []);
    let lock = format!("--find-links wheels\n{pin}");
    assert!(
        matches!(&outcomes(requirements, &lock, None, &[])[0].1, Kind::Unseen(why) if why.contains("--find-links"))
    );
}
