//! A run as OpenTelemetry sees it: traces and metrics by OTLP over HTTP in JSON, after the conventions for CI/CD
//! (semantic conventions 1.44).
//!
//! It is told with the variables that every SDK of OpenTelemetry reads. A collector that is wrong, slow or gone fails
//! nothing: there is one warning, after one time limit.

mod attributes;
mod metrics;
mod resource;
mod settings;
mod traces;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use crate::model::pipeline::{RunRecord, Trace, TraceId};
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Reply};
use crate::system::http::retry::Policy;
use crate::system::telemetry::settings::Target;
pub use crate::system::telemetry::settings::{VARIABLES, secrets};

/// A longer answer is refused: there is one message in it at most.
const ANSWER: u64 = 64 << 10;

/// Where the telemetry of a run goes, and what it says of this machine.
#[derive(Clone, Debug)]
pub struct Telemetry {
    traces: Option<Target>,
    metrics: Option<Target>,
    is_delta: bool,
    resource: Vec<(String, String)>,
}

/// The trace that a run is part of: that of the incoming `TRACEPARENT`; else, in a workflow, one that all jobs of the same
/// attempt share; else a random one.
pub fn trace(environment: &Environment, run_id: &str) -> Trace {
    let state = environment.get("TRACESTATE");
    let parent = environment.get("TRACEPARENT");
    if let Some(trace) = parent.and_then(|parent| Trace::continued(parent, state, run_id)) {
        return trace;
    }
    let parts = [
        "GITHUB_SERVER_URL",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_ATTEMPT",
    ]
    .map(|name| environment.get(name));
    let id = if let [Some(server), Some(repository), Some(run), Some(attempt)] = parts {
        TraceId::of(&[server, repository, run, attempt])
    } else {
        let mut random = [0; 16];
        // Without random bytes, what tells the run from others has to do.
        match getrandom::fill(&mut random) {
            Ok(()) => TraceId::random(random),
            Err(_) => TraceId::of(&[run_id]),
        }
    };
    Trace::new(id, run_id)
}

impl Telemetry {
    /// What the environment wants to be told: nothing where it names no endpoint. What is wrong with its variables comes
    /// as a warning, without their values.
    pub fn of(environment: &Environment) -> Result<Option<Self>, String> {
        let [traces, metrics] = settings::targets(environment)?;
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            traces,
            metrics,
            is_delta: settings::is_delta(environment),
            resource: resource::of(environment),
        }))
    }

    /// The documents for the collector, as `(traces, metrics)`: none of a trace that the one before us does not keep.
    /// Texts of the record have no secret in them any more.
    pub fn documents(&self, record: &RunRecord, trace: &Trace) -> (Vec<Value>, Value) {
        let resource = resource::document(&self.resource, record);
        let traces = if trace.is_sampled {
            traces::documents(record, trace, &resource)
        } else {
            Vec::new()
        };
        (traces, metrics::document(record, self.is_delta, &resource))
    }

    /// Tells the collector of a run that ended, within the time limit of the environment and within `limit`. `http` must
    /// not listen to the signal that may have ended the run. Gives a warning where not everything was taken.
    pub async fn export(
        &self,
        http: &Http,
        record: &RunRecord,
        trace: &Trace,
        limit: Duration,
    ) -> Option<String> {
        let (traces, metrics) = self.documents(record, trace);
        let traces = async {
            match &self.traces {
                Some(target) => tell(http, target, &traces, limit, "traces").await,
                None => Ok(()),
            }
        };
        let metrics = async {
            match &self.metrics {
                Some(target) => tell(http, target, &[metrics], limit, "metrics").await,
                None => Ok(()),
            }
        };
        let (traces, metrics) = join(traces, metrics).await;
        let warnings: Vec<String> = [traces, metrics]
            .into_iter()
            .filter_map(Result::err)
            .collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }
}

/// Sends documents one after the other until one is not taken.
async fn tell(
    http: &Http,
    target: &Target,
    documents: &[Value],
    limit: Duration,
    what: &str,
) -> Result<(), String> {
    let limit = limit.min(target.timeout);
    let origin = target.url.origin().ascii_serialization();
    let policy = Policy {
        attempts: 4,
        budget: limit,
        pause: Duration::from_millis(200),
    };
    let all = async {
        for document in documents {
            let mut call = Call::new(Method::POST, target.url.clone());
            call.headers = target.headers.clone();
            call.headers
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            call.body = vec![Bytes::from(document.to_string())];
            call.limit = ANSWER;
            call.silence = limit;
            let outcome = http.exchange(&call, policy).await;
            match outcome.last {
                Ok(reply) => taken(&reply)?,
                Err(trouble) => return Err(words(&trouble)),
            }
        }
        Ok(())
    };
    let told = tokio::time::timeout(limit, all).await;
    let told = told.unwrap_or_else(|_| {
        Err(format!(
            "no answer within {}",
            crate::model::duration::show(limit)
        ))
    });
    told.map_err(|why| format!("the {what} of this run were not taken by `{origin}`: {why}"))
}

fn words(trouble: &crate::system::http::exchange::Trouble) -> String {
    use crate::system::http::exchange::Trouble;
    match trouble {
        Trouble::Refused(why) | Trouble::Unreached(why) | Trouble::Lost(why) => why.clone(),
        Trouble::Stopped(signal) => format!("stopped by signal {signal}"),
    }
}

/// Whether all of it was taken, after OTLP's rules for answers
/// (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).
fn taken(reply: &Reply) -> Result<(), String> {
    match reply.status {
        200..300 => {}
        401 | 403 => {
            return Err(format!(
                "it answers {}; look at `OTEL_EXPORTER_OTLP_HEADERS`",
                reply.status
            ));
        }
        404 | 405 => {
            return Err(format!(
                "it answers {}; is it the address of OTLP over HTTP, without `/v1/traces`?",
                reply.status
            ));
        }
        status => return Err(format!("it answers {status}")),
    }
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let partial = &answer["partialSuccess"];
    let rejected = ["rejectedSpans", "rejectedDataPoints"]
        .into_iter()
        .find_map(|name| {
            let number = &partial[name];
            // Numbers of 64 bits are strings in JSON.
            number
                .as_u64()
                .or_else(|| number.as_str()?.parse().ok())
                .filter(|number| *number > 0)
        });
    match rejected {
        Some(number) => Err(format!("it rejected {number} of them")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
