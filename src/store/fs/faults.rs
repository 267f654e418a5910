//! The seam where tests make the machine fail. Outside tests it is empty and costs nothing.

use std::io;

/// A step of a write, in the order in which they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// About to write a piece of a body to its temporary file.
    Write,
    /// About to flush a body's file.
    SyncFile,
    /// Flushed; about to move it to its place.
    Rename,
    /// In place; about to flush the directory.
    SyncDir,
    /// The directory is flushed; about to hand the row to the committer.
    Submit,
    /// About to commit a group.
    Commit,
    /// Committed; nothing is acknowledged yet.
    Committed,
    /// About to unlink garbage.
    Unlink,
    /// Unlinked; the garbage rows are still there.
    Unlinked,
}

/// What tests do at a step: an error makes the step fail.
#[cfg(test)]
pub(super) type Hook = Box<dyn FnMut(Step) -> io::Result<()> + Send>;

/// What tests do where the database writes: an error makes the write fail.
#[cfg(test)]
pub(super) type Pages = Box<dyn FnMut() -> io::Result<()> + Send>;

/// Asks the test, if there is one, whether a step may go well.
#[derive(Default)]
pub(super) struct Faults {
    #[cfg(test)]
    hook: std::sync::Mutex<Option<Hook>>,
    #[cfg(test)]
    pages: std::sync::Mutex<Option<Pages>>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}

impl Faults {
    /// Called at each step.
    #[cfg(not(test))]
    #[inline]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape of its test twin")]
    pub(super) fn at(&self, _step: Step) -> io::Result<()> {
        Ok(())
    }

    /// Called at each step.
    #[cfg(test)]
    pub(super) fn at(&self, step: Step) -> io::Result<()> {
        match self.hook.lock().unwrap().as_mut() {
            Some(hook) => hook(step),
            None => Ok(()),
        }
    }

    /// Called before each write of the database.
    #[cfg(not(test))]
    #[inline]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape of its test twin")]
    pub(super) fn page(&self) -> io::Result<()> {
        Ok(())
    }

    /// Called before each write of the database.
    #[cfg(test)]
    pub(super) fn page(&self) -> io::Result<()> {
        match self.pages.lock().unwrap().as_mut() {
            Some(hook) => hook(),
            None => Ok(()),
        }
    }

    /// Sets what happens where the database writes.
    #[cfg(test)]
    pub(super) fn set_pages(&self, hook: impl FnMut() -> io::Result<()> + Send + 'static) {
        *self.pages.lock().unwrap() = Some(Box::new(hook));
    }

    /// Sets what happens from now on.
    #[cfg(test)]
    pub(super) fn set(&self, hook: impl FnMut(Step) -> io::Result<()> + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Lets everything go well again.
    #[cfg(test)]
    pub(super) fn clear(&self) {
        *self.hook.lock().unwrap() = None;
        *self.pages.lock().unwrap() = None;
    }
}
