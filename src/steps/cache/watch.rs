//! How far it is, for somebody who looks on at a terminal.

use std::time::Duration;

use crate::archive::Progress;
use crate::error::count;
use crate::github::console::Console;
use crate::model::size;

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Does the work, and shows meanwhile how far the archive is.
pub async fn watched<T>(
    console: &Console,
    progress: &Progress,
    work: impl Future<Output = T>,
) -> T {
    if !console.is_watched() {
        return work.await;
    }
    tokio::pin!(work);
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            outcome = &mut work => {
                console.live("");
                return outcome;
            }
            _ = ticks.tick() => console.live(&line(progress)),
        }
    }
}

fn line(progress: &Progress) -> String {
    format!(
        "  {}, {} of files, {} of archive",
        count(progress.entries(), "file"),
        size::show(progress.unpacked_bytes()),
        size::show(progress.archive_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::stop::Stop;

    #[test]
    fn the_line_says_how_far_it_is() {
        let progress = Progress::new(Stop::never());
        assert_eq!(line(&progress), "  0 files, 0 B of files, 0 B of archive");
    }
}
