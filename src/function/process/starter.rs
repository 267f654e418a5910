//! The thread that starts processes. Making a control group and moving a process into it waits for locks of the whole
//! kernel, for milliseconds where others start and end processes all the time: no thread that answers requests may do it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::function::runtime::Spec;
use crate::function::sandbox::cgroup::{Group, Hierarchy, group_name};

use super::child::Child;

/// Memory in MB whose share of CPU is the least that the init of a doubtful version may have: a quarter of a processor.
/// Other inits have no limit, as on AWS, so that one that loops has all of a processor until its time is over.
const DOUBTFUL_INIT_MB: u32 = 442;

type Work = Box<dyn FnOnce() + Send>;

/// One thread, as long as this lives. The kernel ends what a thread has started together with it
/// (`PR_SET_PDEATHSIG`), which rules out those of a pool, that come and go.
#[derive(Debug)]
pub(super) struct Starter(Sender<Work>);

impl Starter {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be had.
    pub(super) fn new() -> io::Result<Self> {
        let (sender, receiver) = channel::<Work>();
        let work = move || receiver.into_iter().for_each(|work| work());
        std::thread::Builder::new().name("function-start".to_owned()).spawn(work)?;
        Ok(Self(sender))
    }

    /// Starts a process, with limits where there are control groups.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) async fn spawn(
        &self,
        spec: &Spec,
        id: &str,
        mut command: Command,
        groups: Option<Hierarchy>,
    ) -> io::Result<Child> {
        let (id, memory_mb, doubtful) = (id.to_owned(), spec.version.settings.memory_mb, spec.doubtful);
        let start = move || {
            let group = groups.map(|groups| Group::new(&groups, &group_name(&id), memory_mb)).transpose();
            let group = group.map_err(|error| {
                io::Error::new(error.kind(), format!("the control group of a function: {error}"))
            })?;
            if let Some(group) = group.as_ref().filter(|_| doubtful) {
                group.set_idle(true, memory_mb);
                group.limit_cpu(memory_mb.max(DOUBTFUL_INIT_MB));
            }
            let child = Child::spawn(&mut command, &id, group)?;
            if doubtful {
                child.leave_one_free(true);
            }
            Ok(child)
        };
        self.run(start).await
    }

    /// Does work on the thread, after what was asked for before.
    ///
    /// # Errors
    /// The work's; and that it panicked.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (sender, receiver) = oneshot::channel();
        let runtime = Handle::current();
        let work = move || {
            let _entered = runtime.enter();
            // A panic must not end the thread, with all that it has started.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
                drop(sender.send(done));
            }
        };
        self.0.send(Box::new(work)).map_err(|error| io::Error::other(error.to_string()))?;
        receiver.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_is_done_by_one_thread_that_outlives_a_panic() {
        let starter = Starter::new().unwrap();
        let thread = || Ok(std::thread::current().id());
        let first = starter.run(thread).await.unwrap();
        let lost = starter.run(|| -> io::Result<()> { panic!("on purpose") }).await;
        assert!(lost.is_err());
        assert_eq!(starter.run(thread).await.unwrap(), first);
        let failed = starter.run(|| Err::<(), _>(io::Error::from(io::ErrorKind::NotFound))).await;
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
