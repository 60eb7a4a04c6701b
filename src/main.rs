//! The thin binary: arguments in, exit code out.

use std::process::ExitCode;

use lockgate::error::exit;
use lockgate::system::environment::Environment;

fn main() -> ExitCode {
    report_bugs();
    ExitCode::from(lockgate::cli::main(
        std::env::args_os(),
        Environment::of_this_process(),
    ))
}

/// A panic is a bug of ours and says so, with its own exit code.
fn report_bugs() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        default(info);
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = format!(
            "error: a bug in lockgate {} at {place}\n\nhint: please report it: https://github.com/lockgate/lockgate/issues\n",
            lockgate::VERSION
        );
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        #[expect(
            clippy::exit,
            reason = "a panic on any thread ends the process with the code for bugs"
        )]
        std::process::exit(i32::from(exit::BUG));
    }));
}
