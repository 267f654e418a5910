//! Throwaway.
use super::*;
use std::time::Instant;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn speed() {
    let dir = tempfile::tempdir_in("/work").unwrap();
    for relaxed in [false, true] {
        let mut o = FsOptions::new(dir.path().join(relaxed.to_string()));
        if relaxed {
            o.durability = Durability::Relaxed;
        }
        let store = FsStore::open(o, Arc::new(crate::clock::SystemClock)).unwrap();
        bucket(&store).await;
        for (c, size, n) in [
            (1, 4096, 100u64),
            (16, 4096, 200),
            (64, 4096, 60),
            (16, 65536, 40),
            (4, 1 << 20, 20),
            (16, 1 << 20, 5),
        ] {
            let bytes = noise(1, size);
            let t = Instant::now();
            let tasks: Vec<_> = (0..c)
                .map(|i| {
                    let store = store.clone();
                    let bytes = bytes.clone();
                    tokio::spawn(async move {
                        for k in 0..n {
                            let s = store
                                .stage(Payload::Bytes(bytes.clone()), StageOptions::default())
                                .await
                                .unwrap();
                            store
                                .put(
                                    "b",
                                    &format!("{size}/{i}/{k}"),
                                    s,
                                    NewObject::default(),
                                    WriteCondition::Always,
                                )
                                .await
                                .unwrap();
                        }
                    })
                })
                .collect();
            for t in tasks {
                t.await.unwrap();
            }
            println!(
                "relaxed {relaxed} put {size} x{c}: {:.0}/s",
                (c as u64 * n) as f64 / t.elapsed().as_secs_f64()
            );
        }
        let t = Instant::now();
        for k in 0..5000u64 {
            let r = get(&store, &format!("4096/0/{}", k % 100)).await.unwrap();
            assert_eq!(r.len(), 4096);
        }
        println!("get 4096: {:.1} us", t.elapsed().as_micros() as f64 / 5000.0);
        let big = noise(3, 64 << 20);
        let t = Instant::now();
        put(&store, "big", &big).await.unwrap();
        println!("put 64M {:?}", t.elapsed());
        for _ in 0..3 {
            let t = Instant::now();
            let o = store.open("b", "big").await.unwrap();
            let Payload::Stream(mut s, _) = o.data.read(0..64 << 20) else { panic!() };
            let mut n = 0;
            while let Some(c) = futures_util::StreamExt::next(&mut s).await {
                n += c.unwrap().len();
            }
            println!("get 64M {:?} {n}", t.elapsed());
        }
        let t = Instant::now();
        for _ in 0..20 {
            store.list("b", ListQuery { limit: 1000, ..Default::default() }).await.unwrap();
        }
        println!("list 1000: {:?}", t.elapsed() / 20);
        let t = Instant::now();
        drop(store);
        println!("close {:?}", t.elapsed());
    }
}
