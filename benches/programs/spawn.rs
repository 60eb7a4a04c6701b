//! Runs a program so many times, one after the other or so many at once, as the stages of a pipeline are run:
//! `spawn COUNT AT_ONCE PROGRAM [ARGUMENT…]`.

use std::io;

use lockgate::system::environment::Environment;
use lockgate::system::masking::Masker;
use lockgate::system::processes::{Log, Process, Supervisor, halting};
use lockgate::system::stop::Stop;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, at_once, program, rest @ ..] = arguments.as_slice() else {
        return Ok(());
    };
    let number = |text: &String| text.parse::<usize>().map_err(io::Error::other);
    let (count, at_once) = (number(count)?, number(at_once)?);
    let environment = Environment::of_this_process();
    let supervisor = Supervisor::adopting("spawn", &environment, &Masker::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (_halter, halt) = halting(Stop::listen(false)?);
        let lane = |lane: usize| {
            let (supervisor, mut halt) = (&supervisor, halt.clone());
            let environment = environment.base();
            async move {
                for stage in (lane..count).step_by(at_once) {
                    let process =
                        Process::new(stage.to_string(), program, "/", environment.clone())
                            .arguments(rest);
                    process
                        .run(supervisor, Log::new(io::sink()), &mut halt)
                        .await?;
                }
                Ok::<(), io::Error>(())
            }
        };
        futures_util::future::try_join_all((0..at_once).map(lane)).await?;
        let left = supervisor.sweep(std::time::Duration::ZERO, &halt).await;
        assert!(left.is_empty(), "{left:?}");
        Ok(())
    })
}
