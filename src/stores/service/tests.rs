use super::*;
use crate::system::stop::Stop;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let mut all: Environment = [
        ("ACTIONS_RESULTS_URL", "https://results.example/some/path/"),
        ("ACTIONS_RUNTIME_TOKEN", "not-real-token"),
        ("ACTIONS_CACHE_SERVICE_V2", "True"),
    ]
    .into_iter()
    .collect();
    for (name, value) in pairs {
        all.set(*name, *value);
    }
    all
}

fn service(pairs: &[(&str, &str)]) -> Result<CacheService, Fault> {
    let http = Http::new(&Environment::default(), Vec::new(), Stop::never()).unwrap();
    CacheService::new(&environment(pairs), http, Masker::default())
}

#[test]
fn where_there_is_no_service_the_fault_says_why_and_what_else_there_is() {
    for (name, value, expected) in [
        (
            "ACTIONS_RUNTIME_TOKEN",
            "",
            "`ACTIONS_RUNTIME_TOKEN` is not set",
        ),
        (
            "ACTIONS_RESULTS_URL",
            "",
            "`ACTIONS_RESULTS_URL` is not set",
        ),
        (
            "ACTIONS_RESULTS_URL",
            "http://results.example/",
            "no `https` address",
        ),
        ("ACTIONS_RESULTS_URL", "results", "no `https` address"),
        (
            "ACTIONS_RUNTIME_TOKEN",
            "not-real\ntoken",
            "no header takes",
        ),
        (
            "GITHUB_SERVER_URL",
            "https://github.corp.example",
            "enterprise server",
        ),
        ("ACTIONS_CACHE_MODE", "none", "`cache-mode: none`"),
    ] {
        let fault = service(&[(name, value)]).unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault}");
        let error = fault.error();
        assert!(error.hint.is_some() && !format!("{error:?}").contains("not-real"));
    }
}

#[test]
fn hosts_of_github_are_no_enterprise_servers() {
    for (server, expected) in [
        ("https://github.com", false),
        ("https://GitHub.com/", false),
        ("https://acme.ghe.com", false),
        ("https://github.localhost", false),
        ("https://ghe.com", true),
        ("https://github.com.evil.example", true),
        ("https://git.acme.example", true),
        ("not a url", false),
    ] {
        assert_eq!(is_enterprise(server), expected, "{server}");
    }
}

#[test]
fn the_token_shows_itself_nowhere() {
    let masker = Masker::default();
    let http = Http::new(&Environment::default(), Vec::new(), Stop::never()).unwrap();
    let service = CacheService::new(&environment(&[]), http, masker.clone()).unwrap();
    assert!(!format!("{service:?}").contains("not-real-token"));
    assert_eq!(masker.mask("x not-real-token"), "x ***");
    service
        .signed("https://a.example/b?se=1&sig=ab%2Bcd%3D&sp=r")
        .unwrap();
    assert_eq!(masker.mask("ab%2Bcd%3D or ab+cd="), "*** or ***");
    assert_eq!(
        masker.mask("<https://a.example/b?se=1&sig=ab%2Bcd%3D&sp=r>"),
        "<***>"
    );
    for url in [
        "",
        "x",
        "http://a.example/?sig=abcdef",
        "file:///etc/passwd",
    ] {
        let fault = service.signed(url).unwrap_err();
        assert!(!fault.to_string().contains("abcdef"), "{fault}");
    }
}

#[tokio::test]
async fn what_the_job_may_not_do_is_not_asked() {
    let reader = service(&[("ACTIONS_CACHE_MODE", "read")]).unwrap();
    let fault = reader.reserve("k", "v").await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "this job may not write to the cache or store: `cache-mode: read`"
    );
    let writer = service(&[("ACTIONS_CACHE_MODE", "write-only")]).unwrap();
    let fault = writer.look_up(&["k"], "v").await.unwrap_err();
    assert!(matches!(
        fault,
        Fault::Denied {
            access: Access::Read,
            ..
        }
    ));
}
