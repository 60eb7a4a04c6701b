use std::collections::HashMap;
fn main() {
    // pairs of dirs: original, formatted
    let a = std::env::args().nth(1).unwrap();
    let b = std::env::args().nth(2).unwrap();
    let (mut files, mut same, mut total, mut lost) = (0, 0, 0u64, 0u64);
    for entry in std::fs::read_dir(&a).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let x = std::fs::read(format!("{a}/{name}")).unwrap();
        let y = std::fs::read(format!("{b}/{name}")).unwrap();
        let list = |bytes: &[u8]| -> Vec<(u32, u32, String)> {
            lockgate::baseline::Outline::new("a.py", bytes).dump()
        };
        let (p, q) = (list(&x), list(&y));
        files += 1;
        total += p.len() as u64;
        let mut m: HashMap<(u32, u32), i64> = HashMap::new();
        for s in &q {
            *m.entry((s.0, s.1)).or_default() += 1;
        }
        let mut missing = vec![];
        for s in &p {
            let e = m.entry((s.0, s.1)).or_default();
            *e -= 1;
            if *e < 0 {
                missing.push(s.2.clone());
            }
        }
        if missing.is_empty() {
            same += 1
        } else {
            lost += missing.len() as u64;
            for t in missing.iter().take(3) {
                println!("{name}: {}", t.chars().take(300).collect::<String>());
            }
        }
    }
    println!("{files} files, {same} same; {total} statements, {lost} lost");
}
