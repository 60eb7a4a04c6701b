//! How users name a bucket: a path, `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
//!
//! Credentials and endpoints come from the variables that the clouds' own tools read, and from nowhere else: no file in a home
//! folder, no metadata service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, Checksum, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore};
use reqwest::Url;

use crate::error::{Error, Result};
use crate::model::untrusted;
use crate::stores::bucket::connector::{Connector, no_retry};
use crate::stores::bucket::{Bucket, Directory, Objects, Renewable, name};
use crate::system::environment::Environment;
use crate::system::http::retry::Policy;
use crate::system::http::{Http, is_safe_address};
use crate::system::masking::Secret;

/// What a bucket is opened with.
pub struct Opening<'a> {
    /// The name of the input, for messages.
    pub input: &'a str,
    /// Where relative paths start.
    pub directory: &'a std::path::Path,
    /// Endpoints and credentials.
    pub environment: &'a Environment,
    /// Credentials of AWS in place of those of the environment.
    pub renewable: Option<Renewable>,
    /// The client.
    pub http: Http,
    /// Hears of the credentials before they are used: they are to be hidden from then on.
    pub conceal: &'a dyn Fn(&Secret),
    /// How often a request is repeated.
    pub policy: Policy,
    /// How long a cloud may say nothing.
    pub silence: Duration,
    /// How long a range may say nothing before it is asked for again.
    pub stall: Duration,
}

impl Bucket {
    /// The bucket that a user names. Nothing is asked yet.
    pub fn open(address: &str, opening: &Opening<'_>) -> Result<Self> {
        let address = address.trim();
        let Some((scheme, rest)) = address.split_once("://") else {
            return opening.folder(address, address);
        };
        let bucket = |rest: &str| -> Result<(String, Path)> {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let prefix = prefix.trim_matches('/');
            if !name::is_part(bucket) || !(prefix.is_empty() || name::check(prefix).is_ok()) {
                return Err(opening.wrong(address, "names no bucket and prefix of plain letters"));
            }
            let prefix = Path::parse(prefix)
                .map_err(|_| opening.wrong(address, "has no prefix of plain letters"))?;
            Ok((bucket.to_owned(), prefix))
        };
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match scheme {
            "file" => {
                let path = Url::parse(address)
                    .ok()
                    .and_then(|url| url.to_file_path().ok());
                let Some(path) = path else {
                    return Err(opening.wrong(address, "is no `file:///path`"));
                };
                return Ok(Self::Directory(Directory::new(path)));
            }
            "s3" => {
                let (bucket, prefix) = bucket(rest)?;
                (opening.s3(&bucket)?, prefix)
            }
            "gs" => {
                let (bucket, prefix) = bucket(rest)?;
                (opening.google(&bucket)?, prefix)
            }
            "az" => {
                let (container, prefix) = bucket(rest)?;
                (opening.azure(&container)?, prefix)
            }
            _ => return Err(opening.wrong(address, "names no kind of store that we know")),
        };
        Ok(Self::Objects(Objects::new(store, prefix)))
    }
}

impl Opening<'_> {
    fn folder(&self, address: &str, path: &str) -> Result<Bucket> {
        if path.is_empty() || path.contains('\0') {
            return Err(self.wrong(address, "is no path"));
        }
        let root = self.directory.join(PathBuf::from(path));
        Ok(Bucket::Directory(Directory::new(root)))
    }

    fn s3(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_unsigned_payload(true)
            .with_http_connector(self.connector())
            .with_retry(no_retry())
            .with_region(
                self.variable(&["AWS_REGION", "AWS_DEFAULT_REGION"])
                    .unwrap_or("us-east-1"),
            );
        // The store refuses what did not arrive as it was sent. The SDKs' own variable is for stores that know no checksums.
        let checksums = self.variable(&["AWS_REQUEST_CHECKSUM_CALCULATION"]);
        if !checksums.is_some_and(|when| when.eq_ignore_ascii_case("when_required")) {
            builder = builder.with_checksum_algorithm(Checksum::SHA256);
        }
        if let Some(renewable) = &self.renewable {
            builder = builder.with_credentials(Arc::new(renewable.clone()));
        } else {
            let key = self.required(&["AWS_ACCESS_KEY_ID"])?;
            let secret = self.required(&["AWS_SECRET_ACCESS_KEY"])?;
            builder = builder
                .with_access_key_id(key)
                .with_secret_access_key(self.secret(secret));
            if let Some(token) = self.variable(&["AWS_SESSION_TOKEN"]) {
                builder = builder.with_token(self.secret(token));
            }
        }
        if let Some(endpoint) = self.endpoint(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])? {
            builder = builder
                .with_endpoint(endpoint)
                .with_client_options(ClientOptions::new().with_allow_http(true))
                .with_virtual_hosted_style_request(false);
        }
        let store = builder.build().map_err(|error| self.unusable(&error))?;
        Ok(Arc::new(store))
    }

    fn google(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(bucket)
            .with_http_connector(self.connector())
            .with_retry(no_retry());
        let file = self.variable(&["GOOGLE_APPLICATION_CREDENTIALS"]);
        if let Some(token) = self.variable(&["GOOGLE_OAUTH_ACCESS_TOKEN"]) {
            builder = builder.with_bearer_token(self.secret(token));
        } else if let Some(file) = file {
            let unreadable = |cause: String| {
                Error::usage(format!("the credentials at `{file}` cannot be read"))
                    .cause(cause)
                    .hint("GOOGLE_APPLICATION_CREDENTIALS must name the key of a service account")
            };
            let key = std::fs::read_to_string(self.directory.join(file))
                .map_err(|error| unreadable(error.to_string()))?;
            let parsed: serde_json::Value =
                serde_json::from_str(&key).map_err(|_| unreadable("it is no JSON".to_owned()))?;
            if parsed.get("type").and_then(serde_json::Value::as_str) != Some("service_account") {
                return Err(unreadable("its type is not `service_account`".to_owned()));
            }
            if let Some(private) = parsed
                .get("private_key")
                .and_then(serde_json::Value::as_str)
            {
                (self.conceal)(&Secret::new(private));
            }
            builder = builder.with_service_account_key(key);
        } else {
            return Err(self.absent("GOOGLE_APPLICATION_CREDENTIALS"));
        }
        if let Some(endpoint) = self.endpoint(&["STORAGE_EMULATOR_HOST"])? {
            builder = builder
                .with_base_url(endpoint)
                .with_client_options(ClientOptions::new().with_allow_http(true));
        }
        let store = builder.build().map_err(|error| self.unusable(&error))?;
        Ok(Arc::new(store))
    }

    fn azure(&self, container: &str) -> Result<Arc<dyn ObjectStore>> {
        let account = self.required(&["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"])?;
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(container)
            .with_http_connector(self.connector())
            .with_retry(no_retry());
        let key = self.variable(&[
            "AZURE_STORAGE_KEY",
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
        ]);
        if let Some(key) = key {
            builder = builder.with_access_key(self.secret(key));
        } else if let Some(token) = self.variable(&["AZURE_STORAGE_SAS_TOKEN"]) {
            let token = self.secret(token);
            let pairs: Vec<(String, String)> =
                url::form_urlencoded::parse(token.trim_start_matches('?').as_bytes())
                    .into_owned()
                    .collect();
            for (name, value) in &pairs {
                if name == "sig" {
                    (self.conceal)(&Secret::new(value));
                }
            }
            builder = builder.with_sas_authorization(pairs);
        } else {
            return Err(self.absent("AZURE_STORAGE_KEY"));
        }
        if let Some(endpoint) =
            self.endpoint(&["AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_SERVICE_ENDPOINT"])?
        {
            builder = builder
                .with_endpoint(endpoint.to_owned())
                .with_client_options(ClientOptions::new().with_allow_http(true));
        }
        let store = builder.build().map_err(|error| self.unusable(&error))?;
        Ok(Arc::new(store))
    }

    fn connector(&self) -> Connector {
        Connector {
            http: self.http.clone(),
            policy: self.policy,
            silence: self.silence,
            stall: self.stall,
        }
    }

    fn variable(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.environment.get(name))
    }

    fn required(&self, names: &[&str]) -> Result<&str> {
        let first = names.first().copied().unwrap_or_default();
        self.variable(names).ok_or_else(|| self.absent(first))
    }

    fn endpoint(&self, names: &[&str]) -> Result<Option<&str>> {
        let Some(endpoint) = self.variable(names) else {
            return Ok(None);
        };
        if is_safe_address(endpoint) {
            return Ok(Some(endpoint));
        }
        let first = names.first().copied().unwrap_or_default();
        Err(Error::usage(format!("`{first}` is no `https` address"))
            .hint("plain `http` is for the own machine only"))
    }

    fn secret(&self, value: &str) -> String {
        (self.conceal)(&Secret::new(value));
        value.to_owned()
    }

    fn absent(&self, variable: &str) -> Error {
        Error::usage(format!(
            "`{}` names a store for which `{variable}` is not set",
            self.input
        ))
        .hint(format!(
            "pass it to this step: `env: {variable}: ${{{{ secrets.{variable} }}}}`"
        ))
    }

    fn wrong(&self, address: &str, what: &str) -> Error {
        // What stands before an `@`, or behind a `?`, may be a secret.
        let shown = address.split('?').next().unwrap_or_default();
        let shown = shown.rsplit('@').next().unwrap_or_default();
        Error::usage(format!(
            "`{}`: `{}` {what}",
            self.input,
            untrusted::line(shown)
        ))
        .allowed([
            "a path",
            "`file:///path`",
            "`s3://bucket/prefix`",
            "`gs://bucket/prefix`",
            "`az://container/prefix`",
        ])
    }

    fn unusable(&self, error: &object_store::Error) -> Error {
        tracing::debug!(%error, "the store cannot be set up");
        Error::usage(format!(
            "`{}`: the store cannot be used as its variables describe it",
            self.input
        ))
        .hint(
            "look at the endpoint, the region and the credentials in the environment of this step",
        )
    }
}
