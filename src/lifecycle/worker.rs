//! Walks the buckets that have rules and does what they say: page by page, at a limited rate, through the same calls
//! as requests, and only where what was read is still there.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::decide::{self, Action, Seen};
use super::place::{Place, Places};
use super::{Days, days};
use crate::access_log::{Acted, Inbox, acted};
use crate::bucket::Lifecycle;
use crate::clock::Clock;
use crate::notification::{Cause, Event, Happened, Notifier};
use crate::store::{
    Bucket, DeleteKey, ListUploadsQuery, ListVersionsQuery, ObjectChange, RecordTable, Result, Store,
    StoreError, Version, VersionEntry, VersionId, VersionRef,
};
use crate::telemetry::Metrics;
use crate::telemetry::events::{LifecycleActed, LifecycleFailed};

/// Versions or uploads of one page.
const PAGE: usize = 1000;
/// Deletes of one transaction.
const BATCH: usize = 100;
/// Passes of a day.
const PASSES: u64 = 4;

/// How the worker runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How days are counted.
    pub days: Days,
    /// Actions a second, at most.
    pub rate: NonZeroU32,
}

/// The worker of one instance.
#[derive(Debug)]
pub struct Worker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    options: Options,
    notifier: Option<Notifier>,
    access_log: Option<Arc<Inbox>>,
    places: Places,
    resume: Option<Place>,
}

/// What a batch did.
#[derive(Debug, Default)]
struct Done {
    happened: Vec<Happened>,
    acted: Vec<Acted>,
}

/// One thing to do.
struct Due {
    entry: VersionEntry,
    action: Action,
    rule: String,
}

impl Worker {
    /// A worker that goes on where the last one stopped. Reads the records, and blocks for that.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn new(
        store: Arc<dyn Store>,
        records: Arc<dyn RecordTable>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        options: Options,
    ) -> Result<Self> {
        let (places, resume) = Places::open(records)?;
        Ok(Self { store, clock, metrics, options, notifier: None, access_log: None, places, resume })
    }

    /// The same worker, which tells of what it does.
    #[must_use]
    pub fn telling(self, notifier: Notifier) -> Self {
        Self { notifier: Some(notifier), ..self }
    }

    /// The same worker, which writes lines into the logs of buckets that have one.
    #[must_use]
    pub fn logging(self, access_log: Arc<Inbox>) -> Self {
        Self { access_log: Some(access_log), ..self }
    }

    /// Tells of what was done; that it cannot be recorded does not undo it.
    async fn notify(&self, bucket: &Bucket, Done { happened, acted }: Done) {
        // The configuration as it is now, for a walk takes its time.
        let Some(bucket) = self.store.buckets().get(&bucket.name).cloned() else { return };
        if let Some(inbox) = &self.access_log {
            acted::log(inbox, &bucket, self.clock.now(), &acted);
        }
        let Some(notifier) = self.notifier.as_ref().filter(|_| !happened.is_empty()) else { return };
        if let Err(error) = notifier.tell(&bucket, &Cause::lifecycle(), &happened).await {
            LifecycleFailed { bucket: &bucket.name, error: &error }.emit(&self.metrics);
        }
    }

    /// Runs until it is dropped: a pass at once, then one each quarter of a day, the first of a day at its midnight.
    pub async fn run(mut self) {
        loop {
            self.pass().await;
            tokio::time::sleep(self.until_next()).await;
        }
    }

    fn until_next(&self) -> Duration {
        let period = u64::from(self.options.days.seconds) * 1000 / PASSES;
        let period = period.clamp(50, u64::from(days::DAY) * 1000 / PASSES);
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        Duration::from_millis(period - now % period)
    }

    /// One pass over all buckets. What fails is told and left for the next.
    pub async fn pass(&mut self) {
        let resume = self.resume.take();
        let buckets = self.store.buckets();
        for bucket in buckets.values() {
            if resume.as_ref().is_some_and(|place| bucket.name < place.bucket) {
                continue;
            }
            if bucket.config.lifecycle.is_none() {
                continue;
            }
            let after = resume.as_ref().filter(|place| place.bucket == bucket.name);
            let after = after.and_then(|place| place.key.clone());
            let done = match self.versions(bucket, after).await {
                Ok(()) => self.uploads(bucket).await,
                error => error,
            };
            match done {
                // Deleted meanwhile, which leaves nothing to do.
                Ok(()) | Err(StoreError::NoSuchBucket) => {}
                Err(error) => LifecycleFailed { bucket: &bucket.name, error: &error }.emit(&self.metrics),
            }
        }
        if let Err(error) = self.places.clear().await {
            LifecycleFailed { bucket: "", error: &error }.emit(&self.metrics);
        }
    }

    /// The rules of a bucket as they are now, for a walk may outlive those that it began with.
    fn rules(&self, bucket: &Bucket) -> Option<Lifecycle> {
        let buckets = self.store.buckets();
        let now = buckets.get(&bucket.name).filter(|now| now.id == bucket.id)?;
        now.config.lifecycle.clone().filter(|lifecycle| lifecycle.rules.iter().any(|rule| rule.enabled))
    }

    async fn versions(&mut self, bucket: &Bucket, after: Option<String>) -> Result<()> {
        // What was seen is acted on within some seconds, whatever the rate: it may have changed since.
        let limit = PAGE.min(usize::try_from(self.options.rate.get()).unwrap_or(PAGE).saturating_mul(10));
        let mut query = ListVersionsQuery { after_key: after, limit, ..ListVersionsQuery::default() };
        let mut walk = Walk::default();
        'pages: loop {
            let Some(lifecycle) = self.rules(bucket) else { return Ok(()) };
            let begun = Instant::now();
            let page = self.store.list_versions(&bucket.name, query.clone()).await?;
            let now = self.clock.now();
            let mut due = Vec::new();
            let more = page.next.is_some();
            for entry in page.versions {
                due.extend(walk.next(Some(entry), &lifecycle, self.options.days, now));
            }
            if !more {
                due.extend(walk.next(None, &lifecycle, self.options.days, now));
            }
            self.pause(begun.elapsed()).await;
            let mut due = due.into_iter().peekable();
            while due.peek().is_some() {
                if self.rules(bucket).as_ref() != Some(&lifecycle) {
                    // Other rules since the page was read: they are asked from the beginning.
                    (query.after_key, query.after_version) = (None, None);
                    walk = Walk::default();
                    continue 'pages;
                }
                self.act(bucket, due.by_ref().take(BATCH).collect()).await?;
            }
            let Some((key, version)) = page.next else { return Ok(()) };
            // The last key may go on behind this page: the one before it is done with.
            if let Some(done) = walk.done.clone() {
                self.places.set(&Place { bucket: bucket.name.clone(), key: Some(done) }).await?;
            }
            (query.after_key, query.after_version) = (Some(key), version);
        }
    }

    /// Requests come first: as long as the work took, it rests.
    async fn pause(&self, worked: Duration) {
        tokio::time::sleep(worked.min(Duration::from_secs(1))).await;
    }

    async fn act(&self, bucket: &Bucket, batch: Vec<Due>) -> Result<()> {
        let rest = Duration::from_secs(1) * u32::try_from(batch.len()).unwrap_or(1) / self.options.rate.get();
        let begun = Instant::now();
        let (mut deletes, mut done) = (Vec::new(), Done::default());
        let now = self.clock.now();
        for due in batch {
            match (&due.action, &due.entry.version) {
                (Action::Transition(class), Version::Object(info)) => {
                    let version = VersionRef::of(info.version);
                    let change = ObjectChange::StorageClass { class: class.clone(), seen: Arc::clone(info) };
                    let changed = self.store.update_object(bucket, &due.entry.key, version, change).await;
                    if let Ok(info) = &changed {
                        done.acted.push(due.acted(acted::transition(class), info.version.map(Some)));
                        done.happened.push(Happened::to_object(Event::Transition, &due.entry.key, now, info));
                    }
                    self.tell(bucket, &due, changed.map(drop))?;
                }
                _ => deletes.push(due),
            }
        }
        let keys: Vec<_> = deletes.iter().map(Due::key).collect();
        if !keys.is_empty() {
            let results = self.store.delete(bucket, keys).await?;
            for (due, result) in deletes.iter().zip(&results) {
                let Ok(deleted) = result else { continue };
                let event = Happened::by_delete(&due.entry.key, due.key().version, deleted, now, true);
                let Some(event) = event else { continue };
                let marked = event.event == Event::ExpirationMarkerCreated;
                let operation = if marked { acted::MARK } else { acted::EXPIRE };
                done.acted.push(due.acted(operation, deleted.version));
                done.happened.push(event);
            }
            self.notify(bucket, std::mem::take(&mut done)).await;
            for (due, result) in deletes.iter().zip(results) {
                self.tell(bucket, due, result.map(drop))?;
            }
        }
        self.notify(bucket, done).await;
        tokio::time::sleep(rest.saturating_sub(begun.elapsed())).await;
        Ok(())
    }

    fn tell(&self, bucket: &Bucket, due: &Due, result: Result<()>) -> Result<()> {
        let action = match result {
            Ok(()) => match due.action {
                Action::Expire => "expire",
                Action::RemoveMarker => "remove-marker",
                Action::RemoveNoncurrent => "remove-noncurrent",
                Action::Transition(_) => "transition",
            },
            // Rewritten meanwhile, gone, or locked: the next pass looks again.
            Err(
                StoreError::PreconditionFailed
                | StoreError::NoSuchKey
                | StoreError::NoSuchVersion
                | StoreError::DeleteMarker(..),
            ) => "passed-over",
            Err(StoreError::Locked) => "locked",
            Err(error) => return Err(error),
        };
        LifecycleActed { bucket: &bucket.name, key: &due.entry.key, rule: &due.rule, action }
            .emit(&self.metrics);
        Ok(())
    }

    async fn uploads(&self, bucket: &Bucket) -> Result<()> {
        let rest = Duration::from_secs(1) / self.options.rate.get();
        let mut query = ListUploadsQuery { limit: PAGE, ..ListUploadsQuery::default() };
        loop {
            let aborts = |lifecycle: &Lifecycle| lifecycle.rules.iter().any(|rule| rule.abort_days.is_some());
            let Some(lifecycle) = self.rules(bucket).filter(aborts) else { return Ok(()) };
            let begun = Instant::now();
            let page = self.store.list_uploads(&bucket.name, query.clone()).await?;
            self.pause(begun.elapsed()).await;
            let now = self.clock.now();
            for (key, upload) in &page.uploads {
                let due = decide::upload(&lifecycle, self.options.days, key, upload.initiated);
                let Some((_, rule)) = due.filter(|(due, _)| *due <= now) else { continue };
                match self.store.abort_upload(bucket, key, &upload.upload_id).await {
                    Ok(()) => {
                        LifecycleActed { bucket: &bucket.name, key, rule, action: "abort-upload" }
                            .emit(&self.metrics);
                        let (key, operation) = (key.clone(), acted::ABORT);
                        let acted = Acted { operation, key, version_id: None, size: None };
                        self.notify(bucket, Done { happened: Vec::new(), acted: vec![acted] }).await;
                    }
                    Err(StoreError::NoSuchUpload) => {}
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(rest).await;
            }
            let Some((key, id)) = page.next else { return Ok(()) };
            (query.after_key, query.after_id) = (Some(key), Some(id));
        }
    }
}

impl Due {
    /// That it was done; to the version of that id, in a bucket that has versions.
    fn acted(&self, operation: &'static str, version: Option<Option<VersionId>>) -> Acted {
        let size = match &self.entry.version {
            Version::Object(info) => Some(info.size),
            Version::Marker(_) => None,
        };
        let version_id = version.map(|id| id.map_or_else(|| "null".to_owned(), |id| id.to_string()));
        Acted { operation, key: self.entry.key.clone(), version_id, size }
    }

    fn key(&self) -> DeleteKey {
        let VersionEntry { key, version, is_latest } = &self.entry;
        DeleteKey {
            key: key.clone(),
            version: match self.action {
                Action::Expire => VersionRef::Current,
                _ => VersionRef::of(version.id()),
            },
            if_seen: Some((version.clone(), *is_latest)),
            ..DeleteKey::default()
        }
    }
}

/// Where a walk through versions stands. A version is decided on when the next is known, for a delete marker matters
/// only when it is alone.
#[derive(Debug, Default)]
struct Walk {
    /// The version to decide on, since when it is noncurrent, and how many noncurrent ones of its key are newer.
    last: Option<(VersionEntry, Option<(Timestamp, u64)>)>,
    /// The last key that is done with.
    done: Option<String>,
}

impl Walk {
    /// Takes the next version, or the end, and decides on the one before.
    fn next(
        &mut self,
        entry: Option<VersionEntry>,
        lifecycle: &Lifecycle,
        days: Days,
        now: Timestamp,
    ) -> Option<Due> {
        let noncurrent = entry.as_ref().and_then(|entry| {
            let (before, noncurrent) = self.last.as_ref().filter(|(last, _)| last.key == entry.key)?;
            let since = match &before.version {
                Version::Object(info) => info.last_modified,
                Version::Marker(marker) => marker.last_modified,
            };
            Some((since, noncurrent.map_or(0, |(_, newer)| newer + 1)))
        });
        let follows = noncurrent.is_some();
        let before = std::mem::replace(&mut self.last, entry.map(|entry| (entry, noncurrent)));
        let (entry, noncurrent) = before?;
        if !follows {
            self.done = Some(entry.key.clone());
        }
        let alone = noncurrent.is_none() && !follows;
        let seen = Seen { key: &entry.key, version: &entry.version, noncurrent, alone };
        let decision = decide::version(lifecycle, days, now, &seen)?;
        let (action, rule) = (decision.action, decision.rule.to_owned());
        Some(Due { entry, action, rule })
    }
}
