//! The floor of `hash-files`: walks the folders below the current one in the order of names, and reads every file, once and
//! by one thread. Alone with the standard library, for `rustc -O`.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::Path;

fn main() {
    let mut buffer = vec![0; 128 << 10];
    let read = walk(Path::new("."), &mut buffer);
    println!("{read}");
}

fn walk(folder: &Path, buffer: &mut [u8]) -> usize {
    let entries = read_dir(folder).expect("a folder");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut total = 0;
    for entry in entries {
        if entry.file_type().expect("a kind").is_dir() {
            total += walk(&entry.path(), buffer);
            continue;
        }
        let mut file = File::open(entry.path()).expect("a file");
        loop {
            let read = file.read(buffer).expect("content");
            total += read;
            if read == 0 {
                break;
            }
        }
    }
    total
}
