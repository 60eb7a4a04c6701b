//! What a step needs to wait for programs and servers.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};
use crate::steps::world::World;
use crate::system::stop::Stop;

/// A runtime on this thread. Made late: a step that only reads files does without.
pub fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Error::no_verdict("the system gives no resources to wait for programs and servers")
                .cause(error)
        })
}

/// Hears signals from here on, and in a workflow the end of the parent. Inside of the runtime.
pub fn listen(world: &World) -> Result<Stop> {
    Stop::listen(world.context.is_workflow)
        .map_err(|error| Error::no_verdict("signals cannot be heard").cause(error))
}
