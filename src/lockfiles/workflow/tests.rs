use super::*;

/// Text, line, what is written there, and the comment.
type Row = (String, u32, String, Option<String>);

fn of(text: &str) -> Result<Vec<Row>, String> {
    let mut sources = Sources::default();
    let file = sources
        .add(".github/workflows/ci.yml", text.as_bytes().to_vec())
        .unwrap();
    let workflow = read(file, &sources)?;
    Ok(workflow
        .used
        .iter()
        .map(|used| {
            let at = used.text.at;
            let written = sources.text(at).to_owned();
            (
                used.text.value.clone(),
                sources.line(at),
                written,
                used.comment.clone(),
            )
        })
        .collect())
}

const SHA: &str = "3d3c42e5aac5ba805825da76410c181273ba90b1";

#[test]
fn every_spelling_of_yaml_is_read_with_its_place() {
    let text = format!(
        "\u{feff}on: push\r\njobs:\r\n  a:\r\n    container: node:20\r\n    services: {{db: {{image: 'postgres:16'}}}}\r\n    steps:\r\n      - uses: a/plain@{SHA} # v7.0.1\r\n      - \"uses\" : \"b/quoted@v1\"\r\n      - {{uses: c/flow@v2, with: {{x: \"# no\"}}}} # yes\r\n      - uses: >-\r\n          d/folded@v3\r\n      - &step\r\n        uses: &name e/anchor@v4\r\n      - *step\r\n      - uses: *name\r\n  b:\r\n    uses: ./.github/workflows/x.yml\r\n"
    );
    let found = of(&text).unwrap();
    let short: Vec<(&str, u32)> = found
        .iter()
        .map(|(text, line, ..)| (&**text, *line))
        .collect();
    let plain = format!("a/plain@{SHA}");
    assert_eq!(
        short,
        [
            ("node:20", 4),
            ("postgres:16", 5),
            (plain.as_str(), 7),
            ("b/quoted@v1", 8),
            ("c/flow@v2", 9),
            ("d/folded@v3", short[5].1),
            ("e/anchor@v4", 13),
            ("./.github/workflows/x.yml", 17),
        ]
    );
    assert!((10..=11).contains(&short[5].1));
    assert_eq!(found[2].2, plain);
    assert_eq!(found[2].3.as_deref(), Some("v7.0.1"));
    assert_eq!(found[4].3, None);
}

#[test]
fn actions_are_read_and_strangers_do_no_harm() {
    let composite = "runs:\n  using: composite\n  steps:\n    - uses: a/b/c@v1\n    - run: uses\n";
    assert_eq!(of(composite).unwrap()[0].0, "a/b/c@v1");
    assert!(
        of("runs:\n  using: docker\n  image: Dockerfile\n")
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        of("runs: {image: 'docker://alpine:3'}").unwrap()[0].0,
        "docker://alpine:3"
    );
    for hostile in [
        "",
        "jobs: 3",
        "jobs: [1, {steps: 4}]",
        "jobs: &a {x: *a}",
        "jobs: {a: {steps: &s [*s, {uses: [1]}, {uses: {b: c}}]}}",
        "\0",
        "? [a]\n: b",
    ] {
        let _ = of(hostile);
    }
    assert!(of("jobs: {").is_err());
    assert!(of(&"[".repeat(100_000)).is_err());
    let laughs: Vec<String> = (1..60)
        .map(|number| format!("k{number}: &a{number} [*a{0}, *a{0}]\n", number - 1))
        .collect();
    let laughs = laughs.concat();
    let text = format!("k0: &a0 [x]\n{laughs}jobs: {{a: {{steps: *a59}}}}\n");
    assert!(of(&text).is_ok_and(|found| found.is_empty()));
}

#[test]
fn the_parts_of_a_use_are_told_apart() {
    let used = |text: &str, comment: Option<&str>| Used {
        text: Located::new(text.to_owned(), Location::default()),
        comment: comment.map(str::to_owned),
        kind: UsedKind::Action,
        with: Vec::new(),
    };
    let one = used("a/b/path@v1", Some("ratchet:a/b@v4 pinned"));
    let remote = one.remote().unwrap();
    assert_eq!((remote.repository, remote.reference), ("a/b", Some("v1")));
    assert_eq!(remote.path, "path");
    assert_eq!(one.version(), Some("v4"));
    assert_eq!(used("a/b", Some("tag=v1.2.3")).version(), Some("v1.2.3"));
    assert_eq!(used("a/b", Some("main")).version(), None);
    assert_eq!(used("a/b", None).remote().unwrap().reference, None);
    for own in ["./x", "$/x", "docker://x/y"] {
        assert_eq!(used(own, None).remote(), None);
    }
    assert_eq!(used("docker://x/y", None).image(), Some("x/y"));
    assert_eq!(used("./actions/x/", None).local(), Some("actions/x"));
    assert_eq!(used("a/b@v1", None).local(), None);
    assert!(is_same_version("v4", "4.1.2") && is_same_version("V4", "v4"));
    assert!(!is_same_version("v4", "v41.0") && !is_same_version("v4.1.2", "v4.1.3"));
    assert!(is_commit(SHA) && !is_commit("3d3c42e5") && !is_commit(&"g".repeat(40)));
    assert!(is_workflow(".github/workflows/a.yaml") && is_workflow("x/action.yml"));
    assert!(!is_workflow("x.yml") && !is_workflow(".github/dependabot.yml"));
}
