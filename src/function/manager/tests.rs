//! Workers of a stand-in for a runtime: which is used, when one is started, and who is refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::function::invocation::{FunctionError, Invocation, Output};
use crate::function::placement::Here;
use crate::function::registry::tests::version;
use crate::function::runtime::Log;

#[derive(Debug, Default)]
struct Fake {
    started: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    fails: AtomicBool,
    provisioned: AtomicUsize,
    doubtful: AtomicUsize,
}

#[derive(Debug)]
struct FakeWorker {
    number: usize,
    dead: AtomicBool,
}

#[async_trait]
impl Runtime for Fake {
    fn takes(&self, _: &str) -> bool {
        true
    }

    async fn start(&self, spec: &Arc<Spec>) -> Result<Arc<dyn Worker>, StartError> {
        self.provisioned.fetch_add(usize::from(spec.provisioned), Ordering::SeqCst);
        self.doubtful.fetch_add(usize::from(spec.doubtful), Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(StartError::Init(FunctionError::found("Runtime.Bad", "bad")));
        }
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(FakeWorker { number, dead: AtomicBool::new(false) }))
    }
}

#[async_trait]
impl Worker for FakeWorker {
    async fn invoke(&self, _: &Invocation) -> Result<Output, FunctionError> {
        Ok(Output::Whole(Bytes::from(self.number.to_string())))
    }

    async fn settle(&self) -> bool {
        !self.dead.load(Ordering::SeqCst)
    }

    fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    fn take_log(&self) -> Log {
        Log::default()
    }
}

fn spec(name: &str, memory_mb: u32) -> Arc<Spec> {
    let mut version = version("1");
    version.settings.memory_mb = memory_mb;
    Arc::new(Spec {
        name: name.into(),
        version: Arc::new(version),
        account_id: "000000000000".into(),
        region: "us-east-1".into(),
        provisioned: false,
        doubtful: false,
        network: Arc::default(),
    })
}

fn manager(options: &Options) -> (Arc<Fake>, Manager) {
    let fake = Arc::new(Fake::default());
    let runtimes: Vec<Arc<dyn Runtime>> = vec![Arc::clone(&fake) as Arc<dyn Runtime>];
    (fake, Manager::new(runtimes, Arc::new(Here), options))
}

fn options() -> Options {
    Options {
        memory_mb: 1024,
        queue: 100,
        wait: Duration::from_secs(1),
        keep_alive: Duration::from_secs(300),
        max_uses: 100,
    }
}

fn number(lease: &Lease) -> String {
    format!("{:?}", lease.worker().unwrap()).split_whitespace().nth(3).unwrap().replace(',', "")
}

const SHARED: Limit = Limit::Shared(1000);

#[tokio::test(start_paused = true)]
async fn the_worker_that_was_used_last_is_used_first() {
    let (fake, manager) = manager(&options());
    let spec = spec("f", 128);
    let one = manager.acquire(&spec, SHARED).await.unwrap();
    let two = manager.acquire(&spec, SHARED).await.unwrap();
    let last = number(&one);
    two.settle().await;
    one.settle().await;
    let again = manager.acquire(&spec, SHARED).await.unwrap();
    assert_eq!(number(&again), last);
    assert!(again.init().is_none());
    assert_eq!(fake.started.load(Ordering::SeqCst), 2);
    // One that is not given back is not used again.
    drop(again);
    let other = manager.acquire(&spec, SHARED).await.unwrap();
    assert_ne!(number(&other), last);
}

#[tokio::test(start_paused = true)]
async fn the_first_start_is_alone_and_a_crowd_is_served() {
    let (fake, manager) = manager(&Options { memory_mb: 8 * 128, ..options() });
    let spec = spec("f", 128);
    fake.fails.store(true, Ordering::SeqCst);
    let crowd = (0..4).map(|_| manager.acquire(&spec, SHARED));
    for one in futures_util::future::join_all(crowd).await {
        assert!(matches!(one, Err(AcquireError::Start(StartError::Init(_)))));
    }
    assert_eq!(fake.most_at_once.load(Ordering::SeqCst), 1);
    fake.fails.store(false, Ordering::SeqCst);
    let crowd = (0..16).map(|_| async {
        let lease = manager.acquire(&spec, SHARED).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        lease.settle().await;
        Ok::<_, AcquireError>(())
    });
    let served = futures_util::future::join_all(crowd).await;
    assert!(served.iter().all(Result::is_ok));
    assert!(fake.started.load(Ordering::SeqCst) <= 8);
    // Starts that the last of them did not need any more end as well.
    tokio::time::sleep(Duration::from_millis(60)).await;
    let (_, busy, memory) = manager.usage();
    assert_eq!(busy, 0);
    assert_eq!(memory, 128 * fake.started.load(Ordering::SeqCst) as u64);
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_workers_die_is_started_again_after_a_while() {
    let (fake, manager) = manager(&options());
    let (spec, other) = (spec("f", 128), spec("g", 128));
    let began = tokio::time::Instant::now();
    let after = || began.elapsed().as_millis();
    // Each start takes 50 ms; the fifth waits 100 ms, the sixth 200 ms.
    for (at, expected) in [50, 100, 150, 200, 350, 600].into_iter().enumerate() {
        // Dropped, as after a timeout.
        drop(manager.acquire(&spec, SHARED).await.unwrap());
        assert!(after().abs_diff(expected) < 10, "{at}: {} ms", after());
        // Not even one is forgotten while nobody asks.
        manager.reap();
    }
    // Others do not wait.
    manager.acquire(&other, SHARED).await.unwrap().settle().await;
    assert!(after() < 700, "{} ms", after());
    // It is not forgotten while it waits.
    manager.reap();
    let lease = manager.acquire(&spec, SHARED).await.unwrap();
    assert!(after() >= 1_000, "{} ms", after());
    // Those after the fourth had to show that they last. One that does makes good for all.
    assert_eq!(fake.doubtful.load(Ordering::SeqCst), 3);
    lease.settle().await;
    let (last, now) = (manager.acquire(&spec, SHARED).await.unwrap(), after());
    drop(last);
    drop(manager.acquire(&spec, SHARED).await.unwrap());
    assert!(after() - now < 100, "{} ms", after() - now);
    // A crowd that waits for what does not start is told so, all of it.
    fake.fails.store(true, Ordering::SeqCst);
    let now = after();
    let crowd = (0..20).map(|_| manager.acquire(&spec, SHARED));
    for one in futures_util::future::join_all(crowd).await {
        assert!(matches!(one, Err(AcquireError::Start(StartError::Init(_)))));
    }
    assert!(after() - now < 300, "{} ms", after() - now);
    // Starts that were under way at the same time end as well.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(manager.usage(), (1, 0, 128));
    // What is changed begins anew.
    manager.retire("f");
    fake.fails.store(false, Ordering::SeqCst);
    let doubtful = fake.doubtful.load(Ordering::SeqCst);
    manager.acquire(&spec, SHARED).await.unwrap().settle().await;
    assert_eq!(fake.doubtful.load(Ordering::SeqCst), doubtful);
}

#[tokio::test(start_paused = true)]
async fn limits_and_queues_refuse() {
    let (_, manager) = manager(&Options { queue: 1, ..options() });
    let large = spec("g", 4096);
    let spec = spec("f", 128);
    let stopped = manager.acquire(&spec, Limit::Reserved(0)).await;
    assert!(matches!(stopped, Err(AcquireError::Reserved)));
    let lease = manager.acquire(&spec, Limit::Reserved(1)).await.unwrap();
    let (one, two) =
        tokio::join!(manager.acquire(&spec, Limit::Reserved(1)), manager.acquire(&spec, Limit::Reserved(1)),);
    // The first waits until its time is over, the second finds the queue full.
    assert!(matches!((one, two), (Err(AcquireError::Reserved), Err(AcquireError::Reserved))));
    let waiting = tokio::spawn({
        let (manager, spec) = (manager.clone(), Arc::clone(&spec));
        async move { manager.acquire(&spec, Limit::Reserved(1)).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    lease.settle().await;
    assert!(waiting.await.unwrap().is_ok());
    let large = manager.acquire(&large, SHARED).await;
    assert!(matches!(large, Err(AcquireError::Budget(1024))));
}

#[tokio::test(start_paused = true)]
async fn idle_workers_make_room_and_end() {
    let (fake, manager) = manager(&Options { memory_mb: 256, max_uses: 2, ..options() });
    let (f, g) = (spec("f", 256), spec("g", 256));
    manager.acquire(&f, SHARED).await.unwrap().settle().await;
    manager.acquire(&g, SHARED).await.unwrap().settle().await;
    assert_eq!(manager.usage(), (1, 0, 256));
    // The second use of a worker is its last.
    manager.acquire(&g, SHARED).await.unwrap().settle().await;
    assert_eq!(manager.usage(), (0, 0, 0));
    assert_eq!(fake.started.load(Ordering::SeqCst), 2);
    manager.acquire(&g, SHARED).await.unwrap().settle().await;
    manager.retire("g");
    assert_eq!(manager.usage(), (0, 0, 0));
    manager.close();
    assert!(matches!(manager.acquire(&f, SHARED).await, Err(AcquireError::Closing)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_runs_while_others_end_is_kept() {
    let (fake, manager) = manager(&options());
    let spec = spec("f", 128);
    let lease = manager.acquire(&spec, SHARED).await.unwrap();
    manager.reap();
    lease.settle().await;
    let again = manager.acquire(&spec, SHARED).await.unwrap();
    assert_eq!(fake.started.load(Ordering::SeqCst), 1);
    // One whose function has changed meanwhile is not.
    manager.retire("f");
    again.settle().await;
    assert_eq!(manager.usage(), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn provisioned_workers_are_ready_before_they_count_and_stay() {
    let (fake, manager) = manager(&Options { memory_mb: 384, max_uses: 2, ..options() });
    let spec = spec("f", 128);
    let provisioned = || vec![(Arc::new(Spec { provisioned: true, ..Spec::clone(&spec) }), 2)];
    let live = || manager.ready("f", "1").map(|ready| ready.live);
    fake.fails.store(true, Ordering::SeqCst);
    manager.provide(provisioned());
    assert_eq!(live(), Some(0));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(manager.ready("f", "1").unwrap().failed.unwrap().contains("bad"));
    fake.fails.store(false, Ordering::SeqCst);
    // It is tried again, though not at once.
    manager.provide(provisioned());
    assert_eq!(manager.usage(), (0, 0, 0));
    // Its instants are the machine's, which no test moves.
    std::thread::sleep(Duration::from_millis(2_100));
    manager.provide(provisioned());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((live(), manager.ready("f", "1").unwrap().failed), (Some(2), None));
    manager.reap();
    manager.retire("f");
    assert_eq!(manager.usage(), (2, 0, 256));
    // They are used first, need no share, and the third is started as any other.
    let one = manager.acquire(&spec, Limit::Reserved(0)).await.unwrap();
    let two = manager.acquire(&spec, Limit::Shared(1)).await.unwrap();
    let three = manager.acquire(&spec, Limit::Shared(1)).await.unwrap();
    assert!(one.is_provisioned() && two.is_provisioned() && !three.is_provisioned());
    assert!(one.init().is_none() && three.init().is_some());
    // One that failed, two that did not; the third is told apart.
    assert_eq!(fake.provisioned.load(Ordering::SeqCst), 3);
    // One that is lost is replaced; with its second use another has had its day.
    drop(one);
    two.settle().await;
    manager.acquire(&spec, Limit::Shared(1)).await.unwrap().settle().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(live(), Some(2));
    three.settle().await;
    assert_eq!(manager.usage(), (3, 0, 384));
    manager.provide(Vec::new());
    assert_eq!((manager.usage(), live()), ((1, 0, 128), None));
}
