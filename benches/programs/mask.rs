//! Copies standard input to standard output through the masker, with as many secrets as the argument says: `mask 10`.

use std::io::{self, Read as _};

use lockgate::system::masking::{Masker, MaskingStream, Secret};

fn main() -> io::Result<()> {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    let masker = Masker::default();
    for number in 0..count {
        masker.register(&Secret::new(secret(number)));
    }
    let mut stream = MaskingStream::new(&masker);
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer)? {
            0 => return stream.finish(&mut output),
            read => stream.push(buffer.get(..read).unwrap_or_default(), &mut output)?,
        }
    }
}

/// Forty characters, as tokens have them, the same in every run.
fn secret(number: u64) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let characters = (0..36).map(|_| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(letters[usize::try_from(state % 62).unwrap_or(0)])
    });
    "ghp_".chars().chain(characters).collect()
}
