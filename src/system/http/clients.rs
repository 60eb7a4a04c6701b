//! The clients behind [`Http`](super::Http): certificates are read for the first `https` address, and for none of the own machine.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};

use crate::error::{Error, Result};
use crate::system::environment::Environment;
use crate::system::http::chain;

const CONNECT: Duration = Duration::from_secs(10);

/// One for the own machine, one for everybody else. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    plain: Client,
    secure: Arc<OnceLock<Client>>,
    proxy: Option<Proxy>,
}

impl Clients {
    /// With the proxies that the environment names.
    pub(super) fn new(environment: &Environment) -> Result<Self> {
        // Fails where it was done before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Plain requests go to the own machine only, past every proxy, and trust nobody's certificate.
        let plain = build(builder().tls_certs_only([]))?;
        Ok(Self {
            plain,
            secure: Arc::default(),
            proxy: proxy(environment)?,
        })
    }

    /// Who asks this address. An error where there are no certificates to know anybody by.
    pub(super) fn of(&self, url: &Url) -> Result<&Client> {
        if url.scheme() == "http" {
            return Ok(&self.plain);
        }
        if let Some(secure) = self.secure.get() {
            return Ok(secure);
        }
        let builder = builder();
        let builder = match self.proxy.clone() {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        };
        // Two at once make two, and one stays.
        let secure = build(builder)?;
        Ok(self.secure.get_or_init(|| secure))
    }
}

fn proxy(environment: &Environment) -> Result<Option<Proxy>> {
    let first = |names: &[&str]| names.iter().find_map(|name| environment.get(name));
    let Some(proxy) = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) else {
        return Ok(None);
    };
    let except = first(&["no_proxy", "NO_PROXY"]).and_then(NoProxy::from_string);
    let proxy = Proxy::https(proxy).map_err(|_| {
        Error::usage("`HTTPS_PROXY` is no URL of a proxy")
            .hint("write it as in `http://proxy.example:3128`")
    })?;
    Ok(Some(proxy.no_proxy(except)))
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(format!("lockgate/{}", crate::VERSION))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .referer(false)
        .no_proxy()
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|error| {
        Error::no_verdict("no certificates to know a server by: neither `SSL_CERT_FILE` nor the machine names any")
            .cause(chain(&error.without_url()))
            .hint("look at `SSL_CERT_FILE`: it must name certificates that can be read")
    })
}
