//! Moves a file to or from a signed address, as the cache does it: `transfer upload|download URL FILE [MEBIBYTES [IN_FLIGHT]]`,
//! with blocks of so many mebibytes and so many at once. For `benches/transfers`.

use std::io::{Read, Write};

use bytes::Bytes;
use lockgate::error::{Error, Result};
use lockgate::stores::fault::Fault;
use lockgate::stores::transfer::{self, Options};
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::masking::Secret;
use lockgate::system::stop::Stop;

/// What is read at once.
const PIECE: u64 = 1 << 20;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::usage("transfer upload|download URL FILE [MEBIBYTES [IN_FLIGHT]]");
    let [action, url, file, numbers @ ..] = arguments.as_slice() else {
        return Err(usage());
    };
    let number = |index: usize| {
        let text: Option<&String> = numbers.get(index);
        text.map(|text| text.parse::<usize>().map_err(|_| usage()))
            .transpose()
    };
    let told = |error: std::io::Error| Error::no_verdict(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(told)?;
    let http = Http::new(&Environment::default(), Vec::new(), Stop::never())?;
    let url = Secret::new(url);
    let mut options = Options::default();
    options.block = number(0)?.map_or(options.block, |mebibytes| mebibytes << 20);
    options.in_flight = number(1)?.unwrap_or(options.in_flight);
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(4);
    let outcome = if action == "upload" {
        let mut source = std::fs::File::open(file).map_err(told)?;
        let reading = std::thread::spawn(move || -> std::io::Result<()> {
            loop {
                let mut piece = Vec::new();
                let read = Read::by_ref(&mut source)
                    .take(PIECE)
                    .read_to_end(&mut piece)?;
                if read == 0 || sender.blocking_send(piece.into()).is_err() {
                    return Ok(());
                }
            }
        });
        let outcome = runtime.block_on(transfer::upload(&http, &url, receiver, options));
        reading.join().map(|read| read.map_err(told)).ok();
        outcome.map(drop)
    } else {
        let mut target = std::fs::File::create(file).map_err(told)?;
        let writing = std::thread::spawn(move || -> std::io::Result<()> {
            while let Some(piece) = receiver.blocking_recv() {
                target.write_all(&piece)?;
            }
            Ok(())
        });
        let outcome = runtime.block_on(transfer::download(&http, &url, sender, options));
        writing.join().map(|written| written.map_err(told)).ok();
        outcome.map(drop)
    };
    outcome.map_err(Fault::error)
}
