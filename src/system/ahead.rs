//! A long list made into something else by several threads, and taken in its own order.

use std::sync::mpsc::sync_channel;

/// So many threads work ahead of the one that takes.
const THREADS: usize = 2;

/// So many pieces may wait at each of them, so that memory holds a little and not the whole.
const WAITING: usize = 4;

/// Makes something of each piece of `items`, `size` long but for the last, and takes it in the order of the list.
/// `maker` gives each thread a maker of its own. A list of one piece needs no thread. Ends with the first refusal.
pub fn in_order<'i, I, T, E, M>(
    items: &'i [I],
    size: usize,
    maker: impl Fn() -> M + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    I: Sync,
    T: Send,
    M: FnMut(&'i [I]) -> T,
{
    if items.len() <= size {
        return take(maker()(items));
    }
    let maker = &maker;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (sender, receiver) = sync_channel(WAITING);
                scope.spawn(move || {
                    let own = items.chunks(size).skip(thread).step_by(THREADS);
                    // Nobody takes any more where one was refused.
                    own.map(maker()).try_for_each(|made| sender.send(made))
                });
                receiver
            })
            .collect();
        items
            .chunks(size)
            .zip(threads.iter().cycle())
            // A thread that ended early has panicked, which the scope passes on.
            .map_while(|(_, thread)| thread.recv().ok())
            .try_for_each(&mut take)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_taken_once_and_in_order() {
        for length in [0, 1, 9, 10, 11, 20, 95, 1_000] {
            let items: Vec<u32> = (0..length).collect();
            let mut taken = Vec::new();
            let all: Result<(), ()> = in_order(
                &items,
                10,
                || |piece: &[u32]| piece.iter().map(|item| item * 2).collect::<Vec<_>>(),
                |made| {
                    assert!(made.len() <= 10);
                    taken.extend(made);
                    Ok(())
                },
            );
            assert_eq!(all, Ok(()));
            assert_eq!(taken, (0..length).map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_refusal_ends_it() {
        let items: Vec<u32> = (0..1_000).collect();
        let refused = in_order(
            &items,
            1,
            || |piece: &[u32]| piece.first().copied().unwrap_or_default(),
            |made| if made < 17 { Ok(()) } else { Err(made) },
        );
        assert_eq!(refused, Err(17));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_passed_on() {
        let items: Vec<u32> = (0..100).collect();
        let _: Result<(), ()> = in_order(
            &items,
            1,
            || |piece: &[u32]| assert_ne!(piece, [50]),
            |()| Ok(()),
        );
    }
}
