//! The view of a run while it goes on: lines for a terminal, each no wider than it. Who draws them moves the cursor.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::duration;
use crate::model::untrusted;

/// A name takes at most this part of the width.
const NAME_PART: usize = 3;

/// A run at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The stages that run now, in the order in which they began.
    pub running: Vec<Running>,
    /// How many passed or need not run.
    pub done: usize,
    /// How many failed.
    pub failed: usize,
    /// How many are still to come.
    pub waiting: usize,
    /// Since the run began.
    pub elapsed: Duration,
}

/// A stage that runs now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Its name.
    pub name: String,
    /// Since it began.
    pub elapsed: Duration,
    /// Which attempt it is; the first is 1.
    pub attempt: usize,
    /// Whether it is a service.
    pub is_service: bool,
    /// The last line of its masked output, as it came: with colours, carriage returns, whatever.
    pub last_line: String,
}

/// The lines to draw, at most `height`, each at most `width` columns wide and without a control character. The last one
/// counts; where there is no room for all stages, those that run longest are shown.
pub fn frame(state: &State, width: usize, height: usize) -> Vec<String> {
    if height == 0 || width == 0 {
        return Vec::new();
    }
    let room = height - 1;
    let mut shown: Vec<&Running> = state.running.iter().collect();
    // Services run all the time, so that they are the first to give way.
    shown.sort_by_key(|stage| (stage.is_service, std::cmp::Reverse(stage.elapsed)));
    let is_all = shown.len() <= room;
    shown.truncate(if is_all { room } else { room.saturating_sub(1) });
    let widest = shown
        .iter()
        .map(|stage| name(stage).width())
        .max()
        .unwrap_or(0);
    let name_width = widest.min((width / NAME_PART).max(8));
    let mut lines: Vec<String> = shown
        .iter()
        .map(|stage| {
            let name = cut(&name(stage), name_width);
            let space = " ".repeat(name_width.saturating_sub(name.width()));
            let time = duration::show(floor(stage.elapsed));
            let line = format!("  {name}{space}  {time:>10}  {}", visible(&stage.last_line));
            cut(line.trim_end(), width)
        })
        .collect();
    if !is_all && room > 0 {
        let rest = state.running.len() - shown.len();
        lines.push(cut(&format!("  and {rest} more"), width));
    }
    lines.push(cut(&counts(state), width));
    lines
}

fn name(stage: &Running) -> String {
    let name = stage.name.replace('\t', " ");
    let name = untrusted::line(&name);
    if stage.attempt > 1 {
        return format!("{name} (attempt {})", stage.attempt);
    }
    name.into_owned()
}

/// Tenths are for less than a minute; who looks on needs no milliseconds.
fn floor(elapsed: Duration) -> Duration {
    Duration::from_millis(u64::try_from(elapsed.as_millis() / 100 * 100).unwrap_or(u64::MAX))
}

fn counts(state: &State) -> String {
    let parts: Vec<String> = [
        (state.running.len(), "running"),
        (state.done, "done"),
        (state.failed, "failed"),
        (state.waiting, "waiting"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    format!(
        "{} · {}",
        duration::show(floor(state.elapsed)),
        parts.join(", ")
    )
}

/// What one would see of a line at a terminal: what was written behind the last carriage return, without colours.
pub fn visible(line: &str) -> String {
    let plain = strip_ansi_escapes::strip_str(line.replace('\r', "\n").replace('\t', "    "));
    let last = plain.lines().rev().find(|piece| !piece.trim().is_empty());
    untrusted::line(last.unwrap_or_default().trim()).into_owned()
}

/// As much of it as is that many columns wide, with an ellipsis where something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for character in text.chars() {
        let next = used + character.width().unwrap_or(0);
        if next > width.saturating_sub(1) {
            break;
        }
        used = next;
        cut.push(character);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(name: &str, seconds: u64, last_line: &str) -> Running {
        Running {
            name: name.into(),
            elapsed: Duration::from_millis(seconds * 1_000 + 123),
            attempt: 1,
            is_service: false,
            last_line: last_line.into(),
        }
    }

    #[test]
    fn each_running_stage_is_a_line_and_the_last_one_counts() {
        let mut again = running("test", 61, "\x1b[32m10 %\x1b[0m\r\x1b[1m55 %\x1b[0m\r\n");
        again.attempt = 2;
        let state = State {
            running: vec![running("lint", 3, "checking"), again],
            done: 2,
            failed: 0,
            waiting: 4,
            elapsed: Duration::from_millis(64_999),
        };
        assert_eq!(
            frame(&state, 80, 24),
            [
                "  test (attempt 2)   1 min 1 s  55 %",
                "  lint                   3.1 s  checking",
                "1 min 4 s · 2 running, 2 done, 4 waiting",
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_is_in_it() {
        let texts = [
            "日本語のとても長い名前のステージ".repeat(5),
            "e\u{301}".repeat(200),
            "👩‍👩‍👧‍👦 ".repeat(50),
            "\x1b]0;title\x07\x1b[2J\x1b[999D::error::x ##[y]".to_owned(),
            "a\tb\0c\u{202e}d\u{9b}31m".to_owned(),
            String::new(),
        ];
        for width in [1, 2, 5, 8, 20, 79, 200] {
            for height in [1, 2, 3, 50] {
                let state = State {
                    running: texts.iter().map(|text| running(text, 1, text)).collect(),
                    ..State::default()
                };
                let lines = frame(&state, width, height);
                assert!(!lines.is_empty() && lines.len() <= height);
                for line in lines {
                    assert!(line.width() <= width, "{width}: {line:?}");
                    assert!(!line.chars().any(char::is_control), "{line:?}");
                    assert!(!line.contains("##["), "{line:?}");
                }
            }
        }
        assert!(frame(&State::default(), 0, 10).is_empty());
        assert!(frame(&State::default(), 10, 0).is_empty());
    }

    #[test]
    fn where_there_is_no_room_the_longest_are_shown_and_services_give_way() {
        let mut server = running("server", 100, "");
        server.is_service = true;
        let mut all: Vec<_> = (0..10)
            .map(|at| running(&format!("s{at}"), at, ""))
            .collect();
        all.push(server);
        let state = State {
            running: all,
            ..State::default()
        };
        let lines = frame(&state, 40, 5);
        assert_eq!(lines.len(), 5);
        assert!(
            lines[0].contains("s9") && lines[2].contains("s7"),
            "{lines:?}"
        );
        assert_eq!(lines[3], "  and 8 more");
    }

    #[test]
    fn one_sees_what_was_written_last() {
        for (written, seen) in [
            ("1 %\r2 %\r", "2 %"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\n\n  \n", "a"),
            ("", ""),
            ("\x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ] {
            assert_eq!(visible(written), seen);
        }
    }
}
