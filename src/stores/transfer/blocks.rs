//! What comes, cut into blocks without copying.

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

/// What comes, cut into blocks without copying.
pub struct Blocks {
    pieces: Receiver<Bytes>,
    /// What is together of the next block, so that nothing is lost where nobody waits for it any longer.
    block: Vec<Bytes>,
    size: usize,
}

impl Blocks {
    /// From whoever sends.
    pub fn new(pieces: Receiver<Bytes>) -> Self {
        Self {
            pieces,
            block: Vec::new(),
            size: 0,
        }
    }

    /// The next block of `wanted` bytes, or what is left; none at the end.
    pub async fn next(&mut self, wanted: usize) -> Option<Vec<Bytes>> {
        while self.size < wanted {
            let Some(piece) = self.pieces.recv().await else {
                break;
            };
            self.size += piece.len();
            self.block.push(piece);
        }
        if self.size == 0 {
            return None;
        }
        let mut block = std::mem::take(&mut self.block);
        let over = self.size.saturating_sub(wanted);
        self.size = over;
        if let Some(last) = block.last_mut().filter(|_| over > 0) {
            let at = last.len().saturating_sub(over);
            self.block.push(last.split_off(at));
        }
        Some(block)
    }
}

/// The bytes of a block.
pub fn size_of(block: &[Bytes]) -> u64 {
    block.iter().map(|piece| piece.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn cut(pieces: &[usize], wanted: usize) -> Vec<u64> {
        let (sender, receiver) = tokio::sync::mpsc::channel(pieces.len() + 1);
        for size in pieces {
            sender.send(Bytes::from(vec![0; *size])).await.unwrap();
        }
        drop(sender);
        let mut blocks = Blocks::new(receiver);
        let mut sizes = Vec::new();
        while let Some(block) = blocks.next(wanted).await {
            sizes.push(size_of(&block));
        }
        sizes
    }

    #[tokio::test]
    async fn blocks_are_as_large_as_wanted_whatever_comes() {
        assert_eq!(cut(&[], 10).await, [0; 0]);
        assert_eq!(cut(&[0, 0], 10).await, [0; 0]);
        assert_eq!(cut(&[10], 10).await, [10]);
        assert_eq!(cut(&[35], 10).await, [10, 10, 10, 5]);
        assert_eq!(cut(&[3, 3, 3, 3, 0, 9], 10).await, [10, 10, 1]);
    }
}
