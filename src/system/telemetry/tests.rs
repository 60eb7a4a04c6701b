use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

const HERE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/base/");

#[test]
fn nothing_is_told_where_nobody_asks() {
    for pairs in [
        &[][..],
        &[HERE, ("OTEL_SDK_DISABLED", "TRUE")],
        &[
            HERE,
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
        ],
    ] {
        assert!(
            Telemetry::of(&environment(pairs)).unwrap().is_none(),
            "{pairs:?}"
        );
    }
}

#[test]
fn each_kind_has_an_address_of_its_own() {
    let telemetry = Telemetry::of(&environment(&[
        HERE,
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "https://me:pw@metrics.example/take?x=1",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "500"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20t0p-secret, x-team = a",
        ),
    ]))
    .unwrap()
    .unwrap();
    let (traces, metrics) = (telemetry.traces.unwrap(), telemetry.metrics.unwrap());
    assert_eq!(traces.url.as_str(), "http://127.0.0.1:4318/base/v1/traces");
    assert_eq!(metrics.url.as_str(), "https://metrics.example/take?x=1");
    assert_eq!(traces.timeout, Duration::from_millis(250));
    assert_eq!(metrics.timeout, Duration::from_millis(500));
    assert_eq!(traces.headers["authorization"], "Bearer t0p-secret");
    assert_eq!(traces.headers["x-team"], "a");
    assert!(!format!("{traces:?}").contains("t0p-secret"));
}

#[test]
fn what_is_wrong_is_named_without_its_value() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "no-url-t0p"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://t0p.example:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "file:///t0p"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "t0p"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=t0p%0d%0ax: y"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=t0p"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=%ff"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "t0p"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ] {
        let warning = Telemetry::of(&environment(&[HERE, (name, value)])).unwrap_err();
        assert!(warning.contains(&format!("`{name}`")), "{warning}");
        assert!(!warning.contains("t0p"), "{warning}");
    }
}

#[test]
fn secrets_are_the_values_of_headers_in_every_form_and_passwords() {
    let all = secrets(&environment(&[
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20one%2Ftwo",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x-key=three"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:four@c.example"),
    ]));
    let all: Vec<&str> = all
        .iter()
        .map(crate::system::masking::Secret::reveal)
        .collect();
    assert_eq!(
        all,
        [
            "Bearer one/two",
            "Bearer%20one%2Ftwo",
            "four",
            "one/two",
            "three"
        ]
    );
}

#[test]
fn a_run_joins_the_trace_of_its_workflow_or_of_its_parent() {
    let workflow = [
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "42"),
        ("GITHUB_RUN_ATTEMPT", "1"),
    ];
    let [one, two] = ["42.1.a", "42.1.b"].map(|run| trace(&environment(&workflow), run));
    assert_eq!(one.id, two.id);
    assert_ne!(one.run(), two.run());
    let mut again = workflow;
    again[3].1 = "2";
    assert_ne!(trace(&environment(&again), "42.2.a").id, one.id);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut with_parent = workflow.to_vec();
    with_parent.push(("TRACEPARENT", parent));
    let inner = trace(&environment(&with_parent), "42.1.a");
    assert_eq!(inner.id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let [here, there] = [(); 2].map(|()| trace(&environment(&[("TRACEPARENT", "junk")]), "x").id);
    assert_ne!(here, there);
}

#[test]
fn the_workflow_and_the_user_say_who_tells() {
    let all = resource::of(&environment(&[
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_SHA", "abc"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=a%2Cb, service.name=theirs,broken,=x",
        ),
        ("OTEL_SERVICE_NAME", "ours"),
    ]));
    let get = |key: &str| {
        all.iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| &**value)
    };
    assert_eq!(
        get("vcs.repository.url.full"),
        Some("https://github.example/o/r")
    );
    assert_eq!(get("vcs.repository.name"), Some("r"));
    assert_eq!(get("vcs.ref.head.revision"), Some("abc"));
    assert_eq!(get("team"), Some("a,b"));
    assert_eq!(get("service.name"), Some("ours"));
    assert_eq!(
        all.iter().filter(|(key, _)| key == "service.name").count(),
        1
    );
    assert!(!all.iter().any(|(key, _)| key.is_empty()));
}
