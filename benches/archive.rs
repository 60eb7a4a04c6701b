//! Packs or unpacks one folder, for `benches/archive.py`: `archive pack|unpack WORKSPACE FOLDER ARCHIVE LEVEL`.

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::fs::File;
    use std::path::{Path, PathBuf};

    use lockgate::archive::{Confinement, Level, PackOptions, Progress, Sources, pack, unpack};
    use lockgate::system::stop::Stop;

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [action, workspace, folder, archive, level] = arguments.as_slice() else {
        // What `cargo bench` does with it: nothing to measure without a folder.
        return Ok(());
    };
    let (workspace, folder) = (Path::new(workspace), PathBuf::from(folder));
    let progress = Progress::new(Stop::never());
    if action == "pack" {
        let paths = [folder];
        let sources = Sources {
            workspace,
            paths: &paths,
            excluded: &[],
            confinement: None,
        };
        let options = PackOptions {
            level: level.parse().map_or(Level::Adaptive, Level::Fixed),
            ..PackOptions::default()
        };
        pack(&sources, File::create(archive)?, &options, &progress)?;
    } else {
        let confinement = Confinement::new(workspace, [folder]);
        unpack(File::open(archive)?, &confinement, &progress)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
