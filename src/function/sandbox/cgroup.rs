//! Control groups, of version 2 or 1, where they can be written: memory, processes, CPU, and the freezer.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::priority::leave_one_free;

/// Processes and threads of a worker.
const PROCESSES: u32 = 1_024;
/// Memory that AWS gives one whole processor for, in MB.
const MB_A_PROCESSOR: u64 = 1_769;
/// Microseconds in which a share of CPU is counted.
const PERIOD: u64 = 100_000;

/// Of so much of one processor, what memory in MB stands for, as on AWS; above one processor's memory it is more.
#[must_use]
pub fn cpu_share(whole: u64, memory_mb: u32) -> u64 {
    whole * u64::from(memory_mb) / MB_A_PROCESSOR
}

/// The groups of this process, below which those of workers are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// One hierarchy.
    V2(PathBuf),
    /// A hierarchy a controller.
    V1 {
        /// memory.
        memory: PathBuf,
        /// pids.
        pids: PathBuf,
        /// cpu.
        cpu: PathBuf,
        /// cpuacct, which counts and limits nothing.
        accounting: Option<PathBuf>,
        /// freezer.
        freezer: PathBuf,
    },
}

impl Hierarchy {
    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::V2(_) => "v2",
            Self::V1 { .. } => "v1",
        }
    }

    /// Finds one that can be written, by making a group and removing it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find() -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let root = Path::new("/sys/fs/cgroup");
        let found = [v2(root, &own), v1(root, &own)];
        let mut why = "none is mounted".to_owned();
        for hierarchy in found.into_iter().flatten() {
            hierarchy.tidy();
            match Group::new(&hierarchy, &group_name("probe"), 64) {
                Ok(_) => return Ok(hierarchy),
                Err(error) => why = format!("{}: {error}", hierarchy.name()),
            }
        }
        Err(why)
    }

    /// Ends what servers that are gone have left frozen, which nothing else ends, and removes their groups.
    fn tidy(&self) {
        let mut left = BTreeSet::new();
        for directory in self.directories() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let owner = name.strip_prefix("refract-").and_then(|rest| rest.split('-').next());
                if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                    left.insert(name);
                }
            }
        }
        for name in left {
            let group = Group::of(self, &name);
            // A process that is of another pid namespace has no id here: then so may be the server.
            if !group.processes().contains(&0) {
                group.end();
            }
        }
    }

    fn directories(&self) -> Vec<&PathBuf> {
        match self {
            Self::V2(path) => vec![path],
            Self::V1 { memory, pids, cpu, accounting, freezer } => {
                let accounting = accounting.as_ref().filter(|path| *path != cpu);
                [memory, pids, cpu, freezer].into_iter().chain(accounting).collect()
            }
        }
    }
}

fn v2(root: &Path, own: &str) -> Option<Hierarchy> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let path = root.join(path.trim_start_matches('/'));
    fs::read_to_string(path.join("cgroup.controllers"))
        .is_ok_and(|all| {
            ["memory", "pids"].iter().all(|one| all.split(' ').any(|other| other.trim() == *one))
        })
        .then_some(Hierarchy::V2(path))
}

fn v1(root: &Path, own: &str) -> Option<Hierarchy> {
    let find = |controller: &str| {
        own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            controllers.split(',').any(|one| one == controller).then_some(())?;
            let path = root.join(controllers).join(path.trim_start_matches('/'));
            path.is_dir().then_some(path)
        })
    };
    Some(Hierarchy::V1 {
        memory: find("memory")?,
        pids: find("pids")?,
        cpu: find("cpu")?,
        accounting: find("cpuacct"),
        freezer: find("freezer")?,
    })
}

/// The name of a group of this server.
#[must_use]
pub fn group_name(id: &str) -> String {
    format!("refract-{}-{id}", std::process::id())
}

/// The group of one worker, which goes with this value.
#[derive(Debug)]
pub struct Group {
    hierarchy: Hierarchy,
    name: String,
    cpu: Counter,
    peak: Counter,
}

/// A file of the kernel's that says another number each time, kept open: it is asked after each invocation.
#[derive(Debug, Default)]
struct Counter(OnceLock<Option<File>>);

impl Counter {
    fn read(&self, path: impl FnOnce() -> PathBuf) -> Option<String> {
        let file = self.0.get_or_init(|| File::open(path()).ok()).as_ref()?;
        let mut text = [0; 512];
        let length = file.read_at(&mut text, 0).ok()?;
        Some(String::from_utf8_lossy(text.get(..length)?).into_owned())
    }
}

impl Group {
    /// Makes a group with limits on memory and processes, and a weight of CPU beside the server and others.
    ///
    /// # Errors
    /// It cannot be made, or has not what it must have.
    pub fn new(hierarchy: &Hierarchy, name: &str, memory_mb: u32) -> io::Result<Self> {
        let group = Self::of(hierarchy, name);
        for directory in hierarchy.directories() {
            match fs::create_dir(directory.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let bytes = (u64::from(memory_mb) << 20).to_string();
        match hierarchy {
            Hierarchy::V2(_) => {
                group.write("", "memory.max", &bytes)?;
                // Not every kernel has swap to limit.
                group.write("", "memory.swap.max", "0").ok();
                group.write("", "memory.oom.group", "1").ok();
                group.write("", "pids.max", &PROCESSES.to_string())?;
            }
            Hierarchy::V1 { .. } => {
                group.write("memory", "memory.limit_in_bytes", &bytes)?;
                group.write("memory", "memory.memsw.limit_in_bytes", &bytes).ok();
                group.write("pids", "pids.max", &PROCESSES.to_string())?;
            }
        }
        group.weigh_cpu(memory_mb);
        Ok(group)
    }

    fn of(hierarchy: &Hierarchy, name: &str) -> Self {
        let (hierarchy, name) = (hierarchy.clone(), name.to_owned());
        Self { hierarchy, name, cpu: Counter::default(), peak: Counter::default() }
    }

    /// Weighs CPU by memory, the server having that of a whole processor, from the first moment on: a quota alone lets a
    /// function that does nothing but compute take all of a processor until its share of a period is used up.
    fn weigh_cpu(&self, memory_mb: u32) {
        let of = |whole: u64| cpu_share(whole, memory_mb).max(2).to_string();
        let written = match &self.hierarchy {
            Hierarchy::V2(_) => self.write("cpu", "cpu.weight", &of(100)),
            Hierarchy::V1 { .. } => self.write("cpu", "cpu.shares", &of(1_024)),
        };
        if let Err(error) = written {
            tracing::debug!(%error, "the CPU of a function cannot be weighed");
        }
    }

    /// Has it take what others leave of the processors, or what its weight says again.
    pub fn set_idle(&self, idle: bool, memory_mb: u32) {
        if let Err(error) = self.write("cpu", "cpu.idle", if idle { "1" } else { "0" }) {
            tracing::debug!(%error, "the CPU of a function cannot be made that of the idle");
        }
        if !idle {
            // The kernel has forgotten it.
            self.weigh_cpu(memory_mb);
        }
    }

    /// Keeps all its threads off one of the processors, or lets them have all of them again. One that comes into being
    /// meanwhile may be missed.
    pub fn leave_one_free(&self, free: bool) {
        let file = match &self.hierarchy {
            Hierarchy::V2(_) => "cgroup.threads",
            Hierarchy::V1 { .. } => "tasks",
        };
        let threads = fs::read_to_string(self.path("pids").join(file)).unwrap_or_default();
        for thread in threads.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
            if let Err(error) = leave_one_free(thread, free) {
                tracing::debug!(%error, "which processors a function may have cannot be changed");
            }
        }
    }

    fn path(&self, controller: &str) -> PathBuf {
        let directory = match &self.hierarchy {
            Hierarchy::V2(path) => path,
            Hierarchy::V1 { memory, pids, cpu, accounting, freezer } => match controller {
                "memory" => memory,
                "pids" => pids,
                "cpu" => cpu,
                "cpuacct" => accounting.as_ref().unwrap_or(cpu),
                _ => freezer,
            },
        };
        directory.join(&self.name)
    }

    fn write(&self, controller: &str, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.path(controller).join(file), text)
    }

    /// Puts a process into it, before it starts others.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add(&self, pid: u32) -> io::Result<()> {
        for directory in self.hierarchy.directories() {
            fs::write(directory.join(&self.name).join("cgroup.procs"), pid.to_string())?;
        }
        Ok(())
    }

    /// Limits CPU in proportion to memory, as AWS does once a function is past its init.
    pub fn limit_cpu(&self, memory_mb: u32) {
        let quota = cpu_share(PERIOD, memory_mb).max(1_000);
        let written = match &self.hierarchy {
            Hierarchy::V2(_) => self.write("cpu", "cpu.max", &format!("{quota} {PERIOD}")),
            Hierarchy::V1 { .. } => self
                .write("cpu", "cpu.cfs_period_us", &PERIOD.to_string())
                .and_then(|()| self.write("cpu", "cpu.cfs_quota_us", &quota.to_string())),
        };
        // It is a share, no wall.
        if let Err(error) = written {
            tracing::debug!(%error, "the CPU of a function cannot be limited");
        }
    }

    /// Stops all its processes, or has them go on.
    ///
    /// # Errors
    /// The kernel's.
    pub fn freeze(&self, frozen: bool) -> io::Result<()> {
        match &self.hierarchy {
            Hierarchy::V2(_) => self.write("", "cgroup.freeze", if frozen { "1" } else { "0" }),
            Hierarchy::V1 { .. } => {
                self.write("freezer", "freezer.state", if frozen { "FROZEN" } else { "THAWED" })
            }
        }
    }

    /// Kills all its processes, frozen ones included, and lets none be started any more. Whether there are none left: they
    /// take their time to go, and on a kernel without `cgroup.kill` (of version 2, from Linux 5.14 on) one that was being
    /// started may have been missed, so this is to be asked again.
    pub fn end(&self) -> bool {
        let left = self.processes();
        if left.is_empty() {
            return true;
        }
        let at_once =
            matches!(self.hierarchy, Hierarchy::V2(_)) && self.write("", "cgroup.kill", "1").is_ok();
        if !at_once {
            self.write("pids", "pids.max", "0").ok();
            for pid in left.into_iter().filter_map(Pid::from_raw) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
        // Those that are frozen die when they go on.
        self.freeze(false).ok();
        false
    }

    /// Processor time of all its processes so far.
    #[must_use]
    pub fn cpu_time(&self) -> Option<Duration> {
        let read = |controller: &str, file: &str| self.cpu.read(|| self.path(controller).join(file));
        match &self.hierarchy {
            Hierarchy::V2(_) => {
                let text = read("", "cpu.stat")?;
                let micros = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
                Some(Duration::from_micros(micros.trim().parse().ok()?))
            }
            Hierarchy::V1 { .. } => {
                Some(Duration::from_nanos(read("cpuacct", "cpuacct.usage")?.trim().parse().ok()?))
            }
        }
    }

    /// Processes in it.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.path("pids").join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// The most memory that it had so far, in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        let file = match &self.hierarchy {
            Hierarchy::V2(_) => "memory.peak",
            Hierarchy::V1 { .. } => "memory.max_usage_in_bytes",
        };
        self.peak.read(|| self.path("memory").join(file))?.trim().parse().ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for directory in self.hierarchy.directories() {
            let path = directory.join(&self.name);
            // The kernel takes a moment to let go of processes that were killed.
            for _ in 0..50 {
                match fs::remove_dir(&path) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    Ok(()) | Err(_) => break,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_this_process_are_read() {
        let dir = tempfile::tempdir().unwrap();
        for one in ["memory", "pids", "cpu,cpuacct", "freezer"] {
            fs::create_dir_all(dir.path().join(one).join("slice")).unwrap();
        }
        let own = "9:memory:/slice\n8:pids:/slice\n7:cpu,cpuacct:/slice\n6:freezer:/slice\n0::/x\n";
        let Some(Hierarchy::V1 { cpu, .. }) = v1(dir.path(), own) else { panic!("v1") };
        assert_eq!(cpu, dir.path().join("cpu,cpuacct/slice"));
        assert_eq!(v2(dir.path(), own), None);
        fs::create_dir(dir.path().join("x")).unwrap();
        fs::write(dir.path().join("x/cgroup.controllers"), "cpu memory pids\n").unwrap();
        assert_eq!(v2(dir.path(), own), Some(Hierarchy::V2(dir.path().join("x"))));
        assert_eq!(v1(dir.path(), "0::/x\n"), None);
    }
}
