//! The variables of OpenTelemetry's SDKs
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), as far as they concern a run.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::system::environment::Environment;
use crate::system::http::is_safe_address;
use crate::system::masking::Secret;

/// Each variable that is read, and what it says, for the reference page.
pub const VARIABLES: &[(&str, &str)] = &[
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "where the collector listens for OTLP over HTTP, such as `https://collector.example:4318`; without it and the next two nothing is sent",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "the whole address for traces, in place of the first with `/v1/traces`",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "the whole address for metrics, in place of the first with `/v1/metrics`",
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "headers such as `authorization=Bearer%20…`, separated by commas; a secret, masked everywhere (`OTEL_EXPORTER_OTLP_TRACES_HEADERS` and `…_METRICS_HEADERS` win for theirs)",
    ),
    (
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "how many milliseconds may pass at the end of a run, 10000 unless given (`OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` and `…_METRICS_TIMEOUT` win for theirs)",
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "with `grpc` nothing is sent and a warning says so: what is spoken is `http/json`, on the port where collectors take `http/protobuf` too",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "`delta`, or `cumulative`, which is the default",
    ),
    ("OTEL_TRACES_EXPORTER", "with `none` no traces are sent"),
    ("OTEL_METRICS_EXPORTER", "with `none` no metrics are sent"),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "more attributes of the resource, `key=value` separated by commas",
    ),
    (
        "OTEL_SERVICE_NAME",
        "`service.name`, `lockgate` unless given",
    ),
    ("OTEL_SDK_DISABLED", "with `true` nothing is sent"),
    (
        "TRACEPARENT",
        "the span that the run becomes a part of (W3C Trace Context)",
    ),
    ("TRACESTATE", "handed on to the stages"),
];

/// Where one kind of telemetry goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
}

/// The targets of traces and of metrics, where anybody wants them.
pub(super) fn targets(environment: &Environment) -> Result<[Option<Target>; 2], String> {
    let is_off = environment.get("OTEL_SDK_DISABLED");
    if is_off.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok([None, None]);
    }
    let traces = target(environment, "TRACES", "v1/traces")?;
    let metrics = target(environment, "METRICS", "v1/metrics")?;
    Ok([traces, metrics])
}

/// The variable of one signal, or of all.
fn either<'e>(environment: &'e Environment, signal: &str, what: &str) -> Option<(String, &'e str)> {
    [
        format!("OTEL_EXPORTER_OTLP_{signal}_{what}"),
        format!("OTEL_EXPORTER_OTLP_{what}"),
    ]
    .into_iter()
    .find_map(|name| {
        let value = environment.get(&name)?;
        Some((name, value))
    })
}

fn target(environment: &Environment, signal: &str, path: &str) -> Result<Option<Target>, String> {
    if environment.get(&format!("OTEL_{signal}_EXPORTER")) == Some("none") {
        return Ok(None);
    }
    let Some((name, written)) = either(environment, signal, "ENDPOINT") else {
        return Ok(None);
    };
    let mut url = Url::parse(written.trim()).map_err(|_| format!("`{name}` is no URL"))?;
    if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        let base = url.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{path}"));
    }
    // What stands in an address is no credential.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if !is_safe_address(url.as_str()) {
        return Err(format!(
            "`{name}` is no `https` address, and not one of this machine: nothing is sent there"
        ));
    }
    let protocol = either(environment, signal, "PROTOCOL");
    if let Some((name, _)) = protocol.filter(|(_, protocol)| *protocol == "grpc") {
        return Err(format!(
            "`{name}` is `grpc`: nothing is sent, for `http/json` is all that is spoken here"
        ));
    }
    Ok(Some(Target {
        url,
        headers: headers(environment, signal)?,
        timeout: timeout(environment, signal)?,
    }))
}

fn timeout(environment: &Environment, signal: &str) -> Result<Duration, String> {
    let Some((name, written)) = either(environment, signal, "TIMEOUT") else {
        return Ok(Duration::from_secs(10));
    };
    let milliseconds = written.trim().parse();
    milliseconds
        .map(Duration::from_millis)
        .map_err(|_| format!("`{name}` is no number of milliseconds"))
}

/// Names and values of a variable with headers, decoded.
fn pairs(written: &str) -> impl Iterator<Item = Option<(String, String)>> {
    let pieces = written
        .split(',')
        .map(str::trim)
        .filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let (name, value) = piece.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_owned(), value.into_owned()))
    })
}

fn headers(environment: &Environment, signal: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let Some((variable, written)) = either(environment, signal, "HEADERS") else {
        return Ok(headers);
    };
    let wrong = || format!("`{variable}` is no list of `name=value`, separated by commas");
    for pair in pairs(written) {
        let (name, value) = pair.ok_or_else(wrong)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The secrets among the variables, to be masked before anything is shown: the values of headers, and what stands behind
/// a scheme such as `Bearer`; also the password of an address.
pub fn secrets(environment: &Environment) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for signal in ["", "TRACES_", "METRICS_"] {
        let variable = |what: &str| format!("OTEL_EXPORTER_OTLP_{signal}{what}");
        let written = environment.get(&variable("HEADERS")).unwrap_or_default();
        for piece in written.split(',') {
            let value = piece
                .split_once('=')
                .map_or(piece, |(_, value)| value)
                .trim();
            let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
            secrets.push(value.to_owned());
            secrets.extend(
                decoded
                    .split_once(' ')
                    .map(|(_, token)| token.trim().to_owned()),
            );
            secrets.push(decoded);
        }
        let endpoint = environment.get(&variable("ENDPOINT")).unwrap_or_default();
        let password = Url::parse(endpoint).ok();
        secrets.extend(password.and_then(|url| url.password().map(str::to_owned)));
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_unstable();
    secrets.dedup();
    secrets.into_iter().map(Secret::new).collect()
}

/// Whether metrics tell what is new since the last time, in place of since the beginning.
pub(super) fn is_delta(environment: &Environment) -> bool {
    environment
        .get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
        .is_some_and(|preference| preference.eq_ignore_ascii_case("delta"))
}
