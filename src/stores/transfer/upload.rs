//! To a signed Azure address: one `Put Blob` where the archive fits into a block, else blocks and their list.
//!
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/put-block>. Every block has a name of its own, so that sending it
//! again changes nothing; the archive appears with the list, whole.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use tokio::sync::mpsc::Receiver;

use crate::stores::fault::{Access, Fault};
use crate::stores::transfer::Options;
use crate::stores::transfer::blocks::{Blocks, size_of};
use crate::system::http::Http;
use crate::system::http::exchange::Call;
use crate::system::masking::Secret;

/// A blob has at most 50,000 blocks. After so many the blocks double, so that twelve doublings are left.
const BEFORE_DOUBLING: usize = 4_000;

/// The largest block that is made: it is in memory as often as blocks are in flight.
const LARGEST: usize = 64 << 20;

/// As many as a blob has at most.
const BLOCKS: usize = 50_000;

/// Sends what comes, in order, until the sender is gone; how many bytes it was. A sender that failed must not let the upload
/// come to its end: whoever holds the future drops it.
pub async fn upload(
    http: &Http,
    url: &Secret,
    pieces: Receiver<Bytes>,
    options: Options,
) -> Result<u64, Fault> {
    let url = Url::parse(url.reveal()).map_err(|_| Fault::InvalidAnswer {
        what: "the signed address is no URL".to_owned(),
    })?;
    let mut blocks = Blocks::new(pieces);
    let first = blocks.next(options.block).await;
    let second = match first {
        Some(_) => blocks.next(options.block).await,
        None => None,
    };
    let (Some(first), Some(second)) = (first.clone(), second) else {
        let body = first.unwrap_or_default();
        let size = size_of(&body);
        put_blob(http, &url, body, options).await?;
        return Ok(size);
    };
    let mut waiting = vec![second, first];
    let mut in_flight = FuturesUnordered::new();
    let (mut count, mut size) = (0_usize, 0_u64);
    loop {
        while in_flight.len() < options.in_flight.max(1) {
            let next = match waiting.pop() {
                Some(block) => Some(block),
                None if in_flight.is_empty() => blocks.next(block_size(count, options.block)).await,
                // Blocks on their way go on while the next one is made.
                None => {
                    tokio::select! {
                        biased;
                        next = blocks.next(block_size(count, options.block)) => next,
                        Some(done) = in_flight.next() => { let () = done?; continue; }
                    }
                }
            };
            let Some(block) = next else { break };
            if count == BLOCKS {
                return Err(Fault::Quota {
                    message: format!("the archive has more than {BLOCKS} blocks"),
                });
            }
            size += size_of(&block);
            in_flight.push(put_block(http, &url, count, block, options));
            count += 1;
        }
        match in_flight.next().await {
            Some(done) => done?,
            None => break,
        }
    }
    put_list(http, &url, count, options).await?;
    Ok(size)
}

/// How large this block is to be.
fn block_size(index: usize, first: usize) -> usize {
    let doublings = u32::try_from(index / BEFORE_DOUBLING).unwrap_or(u32::MAX);
    let grown = first.saturating_mul(2_usize.saturating_pow(doublings));
    grown.min(LARGEST.max(first))
}

async fn put_blob(http: &Http, url: &Url, body: Vec<Bytes>, options: Options) -> Result<(), Fault> {
    let mut call = Call::new(Method::PUT, url.clone());
    call.headers
        .insert("x-ms-blob-type", HeaderValue::from_static("BlockBlob"));
    call.headers.insert(CONTENT_TYPE, OCTETS);
    call.body = body;
    put(http, call, options).await
}

async fn put_block(
    http: &Http,
    url: &Url,
    index: usize,
    block: Vec<Bytes>,
    options: Options,
) -> Result<(), Fault> {
    let mut url = url.clone();
    url.query_pairs_mut()
        .append_pair("comp", "block")
        .append_pair("blockid", &name(index));
    let mut call = Call::new(Method::PUT, url);
    call.body = block;
    put(http, call, options).await
}

async fn put_list(http: &Http, url: &Url, count: usize, options: Options) -> Result<(), Fault> {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("comp", "blocklist");
    let mut list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
    for index in 0..count {
        let _ = write!(list, "<Latest>{}</Latest>", name(index));
    }
    list.push_str("</BlockList>");
    let mut call = Call::new(Method::PUT, url);
    call.headers.insert("x-ms-blob-content-type", OCTETS);
    call.body = vec![list.into()];
    put(http, call, options).await
}

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The name of a block. Eight digits are base64 as they are, which names of blocks have to be, and all are of one length.
fn name(index: usize) -> String {
    format!("{index:08}")
}

async fn put(http: &Http, mut call: Call, options: Options) -> Result<(), Fault> {
    call.silence = options.stall;
    let outcome = http.exchange(&call, options.policy).await;
    let (reply, attempts, _) = Fault::answered(outcome)?;
    match reply.status {
        201 => Ok(()),
        status => Err(super::refused(
            status,
            &reply.headers,
            Access::Write,
            attempts,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_thousand_blocks_hold_any_archive() {
        let total: u64 = (0..BLOCKS)
            .map(|index| block_size(index, 8 << 20) as u64)
            .sum();
        assert!(total > 2 << 40, "{total}");
        assert_eq!(block_size(0, 8 << 20), 8 << 20);
        assert_eq!(block_size(BLOCKS, 8 << 20), LARGEST);
        assert_eq!(block_size(usize::MAX, usize::MAX), usize::MAX);
    }

    #[test]
    fn names_of_blocks_are_base64_of_one_length() {
        use base64::Engine;
        for index in [0, 7, BLOCKS] {
            let name = name(index);
            let decoded = base64::engine::general_purpose::STANDARD.decode(&name);
            assert_eq!(decoded.unwrap().len(), 6);
        }
    }
}
