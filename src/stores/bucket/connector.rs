//! The one file where `object_store` meets our HTTP client: its requests go through our policy, and its own repetition is off.
//!
//! An answer is handed on whole, so that one which is cut off is asked for again too; large objects are read in ranges. Where
//! no attempt is left, the error that goes through `object_store` is our own [`Fault`], and comes out again as it was.

use std::pin::Pin;
use std::time::Duration;

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, RetryConfig};
use reqwest::header::RANGE;
use reqwest::{Method, Url};

use crate::stores::fault::{Access, Fault, excerpt};
use crate::system::http::Http;
use crate::system::http::exchange::Call;
use crate::system::http::retry::Policy;

/// Makes clients that are ours.
#[derive(Clone, Debug)]
pub struct Connector {
    pub http: Http,
    pub policy: Policy,
    /// How long it may say nothing.
    pub silence: Duration,
    /// The same for a range.
    pub stall: Duration,
}

/// No repetition but ours.
pub fn no_retry() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// The largest answer: a range, or a list.
const LIMIT: u64 = 128 << 20;

/// Headers that make a request depend on what is there: sent again, it may fail by its own success.
const CONDITIONS: &[&str] = &["if-match", "if-none-match", "x-goog-if-generation-match"];

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Connector {
    fn call<'life0, 'async_trait>(&'life0 self, request: HttpRequest) -> Answer<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.answer(request))
    }
}

impl Connector {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| {
            carried(Fault::InvalidAnswer {
                what: "the address of the store is no URL".to_owned(),
            })
        })?;
        let access = match parts.method {
            Method::GET | Method::HEAD => Access::Read,
            _ => Access::Write,
        };
        let is_conditional = CONDITIONS
            .iter()
            .any(|name| parts.headers.contains_key(*name));
        let is_range = parts.headers.contains_key(RANGE);
        let mut call = Call::new(parts.method, url);
        call.headers = parts.headers;
        // Ours says how long it is.
        call.headers.remove("content-length");
        call.limit = LIMIT;
        call.silence = if is_range { self.stall } else { self.silence };
        // A POST starts an upload in parts, completes one or asks for a token.
        call.is_repeatable = access == Access::Read || !is_conditional;
        call.body = content(body).await?;
        let outcome = self.http.exchange(&call, self.policy).await;
        let (reply, attempts, _) = Fault::answered(outcome).map_err(carried)?;
        // What else is wrong, `object_store` must see: there is nothing, or a condition does not hold.
        if reply.status >= 400 && !matches!(reply.status, 404 | 409 | 412 | 416) {
            let (code, after) = (code(&reply.body), reply.retry_after());
            let fault = Fault::of_status(reply.status, code, access, attempts, after);
            return Err(carried(fault));
        }
        let mut response = HttpResponse::new(HttpResponseBody::from(reply.body));
        if let Ok(status) = reply.status.try_into() {
            *response.status_mut() = status;
        }
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}

/// The code of an error in XML. The rest of it may show what was signed.
fn code(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(String::new, |(code, _)| excerpt(code))
}

/// The pieces of a content, which is in memory.
async fn content(
    body: object_store::client::HttpRequestBody,
) -> Result<Vec<bytes::Bytes>, HttpError> {
    if let Some(bytes) = body.as_bytes() {
        return Ok(vec![bytes.clone()]);
    }
    let bytes = HttpResponseBody::new(body).bytes().await?;
    Ok(vec![bytes])
}

fn carried(fault: Fault) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, fault)
}
