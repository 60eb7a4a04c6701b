//! What is made of texts that many findings share, made once.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// So much is remembered before it is begun anew: findings come rule by rule and file by file.
const KNOWN: usize = 4_096;

/// See the module. `N` texts make one `T`. They are known by their addresses, which stay what they are as long as the
/// report is borrowed.
pub(super) struct Memo<'r, const N: usize, T> {
    known: HashMap<Key<N>, Rc<T>, RandomState>,
    report: PhantomData<&'r str>,
}

/// Addresses of texts. An array would be hashed byte by byte.
#[derive(PartialEq, Eq)]
struct Key<const N: usize>([usize; N]);

impl<const N: usize> Hash for Key<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0
            .iter()
            .for_each(|address| state.write_usize(*address));
    }
}

impl<const N: usize, T> Default for Memo<'_, N, T> {
    fn default() -> Self {
        Self {
            known: HashMap::default(),
            report: PhantomData,
        }
    }
}

impl<'r, const N: usize, T> Memo<'r, N, T> {
    /// What was made of these texts before, or is made now.
    pub(super) fn get(
        &mut self,
        texts: [Option<&'r Arc<str>>; N],
        make: impl FnOnce() -> T,
    ) -> Rc<T> {
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        // No text stands at zero.
        let key = Key(texts.map(|text| text.map_or(0, |text| text.as_ptr().addr())));
        let value = self.known.entry(key).or_insert_with(|| Rc::new(make()));
        Rc::clone(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_made_once_and_none_is_mistaken_for_another() {
        let texts: Vec<Arc<str>> = (0..3).map(|_| Arc::from("same")).collect();
        let mut made = 0;
        let mut memo = Memo::default();
        for _ in 0..2 {
            for left in &texts {
                for right in [None, Some(left)] {
                    memo.get([Some(left), right], || made += 1);
                }
            }
        }
        assert_eq!(made, 6);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let texts: Vec<Arc<str>> = (0..3 * KNOWN).map(|_| Arc::from("x")).collect();
        let mut memo = Memo::default();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(*memo.get([Some(text)], || number), number);
            assert!(memo.known.len() <= KNOWN);
        }
    }
}
