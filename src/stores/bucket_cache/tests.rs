use super::*;
use crate::stores::bucket::Directory;

fn cache(folder: &tempfile::TempDir) -> BucketCache {
    let directory = Directory::new(folder.path().join("store"));
    BucketCache::new(Bucket::Directory(directory))
}

async fn save(cache: &BucketCache, key: &str, version: &str, content: &'static [u8]) {
    let reserved = cache.reserve(key, version).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    sender.send(Bytes::from_static(content)).await.unwrap();
    drop(sender);
    let size = cache
        .upload(&reserved, receiver, Options::default())
        .await
        .unwrap();
    assert_eq!(size, content.len() as u64);
    cache.finalise(&reserved, size).await.unwrap();
}

async fn load(cache: &BucketCache, entry: &Entry) -> Vec<u8> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let taken = async {
        let mut all = Vec::new();
        while let Some(piece) = receiver.recv().await {
            all.extend_from_slice(&piece);
        }
        all
    };
    let (size, all) = tokio::join!(cache.download(entry, sender, Options::default()), taken);
    assert_eq!(size.unwrap(), all.len() as u64);
    all
}

#[tokio::test]
async fn an_entry_is_found_by_its_key_or_by_how_it_starts_and_never_changes() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder);
    assert_eq!(cache.look_up(&["a"], "v").await.unwrap(), None);
    let long = format!("linux/{}", "é".repeat(300));
    for (key, content) in [
        ("linux-1", &b"one"[..]),
        ("linux-2", b"two"),
        (&long, b"long"),
    ] {
        save(&cache, key, "v", content).await;
    }
    for (keys, expected) in [
        (vec!["linux-1"], Some("one")),
        (vec!["none", "linux-2"], Some("two")),
        (vec!["linux/é"], Some("long")),
        (vec![long.as_str()], Some("long")),
        (vec!["linux/ü"], None),
        (vec!["Linux-1"], None),
    ] {
        let entry = cache.look_up(&keys, "v").await.unwrap();
        let content = match &entry {
            Some(entry) => Some(load(&cache, entry).await),
            None => None,
        };
        assert_eq!(content.as_deref(), expected.map(str::as_bytes), "{keys:?}");
    }
    assert_eq!(cache.look_up(&["linux-1"], "other").await.unwrap(), None);
    let fault = cache.reserve("linux-1", "v").await.unwrap_err();
    assert!(matches!(fault, Fault::Exists { .. }), "{fault}");
}

#[tokio::test]
async fn what_is_only_reserved_is_not_found_and_can_be_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder);
    let reserved = cache.reserve("k", "v").await.unwrap();
    assert_eq!(cache.look_up(&["k"], "v").await.unwrap(), None);
    assert!(cache.reserve("k", "v").await.is_err());
    assert!(matches!(
        cache.finalise(&reserved, 7).await.unwrap_err(),
        Fault::Changed { .. }
    ));
    cache.abandon(&reserved).await.unwrap();
    save(&cache, "k", "v", b"x").await;
    assert_eq!(cache.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_of_many_gets_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder);
    let wishes = (0..8).map(|_| cache.reserve("k", "v"));
    let outcomes = futures_util::future::join_all(wishes).await;
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(winners, 1, "{outcomes:?}");
}

#[tokio::test]
async fn what_a_stranger_writes_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder);
    save(&cache, "k", "v", b"x").await;
    let record = folder.path().join("store/entries/v/k");
    let text = std::fs::read_to_string(&record).unwrap();
    for changed in [
        text.replace("data/v/", "data/v/../../"),
        text.replace("data/v/", "other/"),
        text.replace("\"k\"", "\"other\""),
        text.replace("\"schema\":1", "\"schema\":2"),
        "[".repeat(10_000),
        " ".repeat(1 << 20),
        String::new(),
    ] {
        assert_ne!(changed, text);
        std::fs::write(&record, changed).unwrap();
        assert_eq!(cache.look_up(&["k"], "v").await.unwrap(), None);
    }
    std::fs::write(&record, &text).unwrap();
    let entry = cache.look_up(&["k"], "v").await.unwrap().unwrap();
    cache.delete(&entry).await.unwrap();
    assert_eq!(cache.look_up(&["k"], "v").await.unwrap(), None);
    assert!(cache.list("").await.unwrap().is_empty());
}
