//! Two that deploy to one folder at once.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes ten times n races.

use std::io::Write as _;
use std::path::Path;
use std::sync::Barrier;

use lockgate::error::Kind;
use lockgate::model::deploy::{Applied, Release};
use lockgate::targets::local::Local;
use tempfile::TempDir;

use crate::fuzzing::campaign;
use crate::support::deployed::{Somewhere, release};

fn version(folder: &Path, name: &str) -> Release {
    let paths = ["a", "b"].map(|file| {
        let path = folder.join(format!("{name}-{file}"));
        std::fs::write(&path, format!("{name} {file}")).unwrap();
        path
    });
    release(Some(name), &[&paths[0], &paths[1]])
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

#[test]
fn of_two_at_once_one_stands_whole_and_the_other_is_told() {
    let (folder, files) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = folder.path().join("site");
    let local = Local {
        directory: root.clone(),
        keep: 3,
    };
    let times = 10 * campaign();
    let (mut one_won, mut later, mut control) = (0, 0, 0);
    for round in 0..times {
        let releases = [1, 2].map(|number| version(files.path(), &format!("{round}.{number}")));
        let at = || Somewhere::with(&[]);
        let before = local.current(&at().access()).unwrap();
        let barrier = Barrier::new(2);
        let outcomes = std::thread::scope(|scope| {
            let running = releases.each_ref().map(|release| {
                let (local, barrier) = (&local, &barrier);
                scope.spawn(move || {
                    let at = Somewhere::with(&[]);
                    barrier.wait();
                    block(local.apply(release, &at.access()))
                })
            });
            running.map(|thread| thread.join().unwrap())
        });
        let now = local.current(&at().access()).unwrap().unwrap();
        let won: Vec<&Applied> = outcomes.iter().flatten().collect();
        match *won {
            [winner] => {
                one_won += 1;
                assert_eq!(winner.now, now, "{round}");
                assert_eq!(winner.previous, before, "{round}");
                let lost = outcomes
                    .iter()
                    .find_map(|outcome| outcome.as_ref().err())
                    .unwrap();
                assert_eq!(lost.kind, Kind::Refused, "{round}: {}", lost.render());
            }
            [first, second] => {
                later += 1;
                let follows = first.previous.as_ref() == Some(&second.now)
                    || second.previous.as_ref() == Some(&first.now);
                assert!(follows, "{round}: {first:?} {second:?}");
            }
            _ => panic!("{round}: nobody won: {outcomes:?}"),
        }
        let name = now.version.clone().unwrap();
        for file in ["a", "b"] {
            let stands = root.join("current").join(format!("{name}-{file}"));
            assert_eq!(
                std::fs::read_to_string(stands).unwrap(),
                format!("{name} {file}")
            );
        }
        control += u64::from(both_write(&folder.path().join("control"), round));
    }
    let _ = writeln!(
        std::io::stderr(),
        "{times} races: {one_won} with one winner, {later} one after the other; without a lock both wrote in {control} of {times}"
    );
    assert!(one_won > 0 || times < 100, "there was no race");
    assert_eq!(control, times);
}

/// The same by hand, which nothing keeps apart: whether both were told that theirs stands.
fn both_write(link: &Path, round: u64) -> bool {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let running = [1, 2].map(|number| {
            let barrier = &barrier;
            scope.spawn(move || {
                let new = link.with_extension(format!("{number}"));
                std::os::unix::fs::symlink(format!("{round}.{number}"), &new).unwrap();
                barrier.wait();
                std::fs::rename(&new, link).is_ok()
            })
        });
        running.map(|thread| thread.join().unwrap()) == [true, true]
    })
}
