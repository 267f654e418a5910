//! Listings of objects and of uploads, from one snapshot.

use std::ops::Bound;
use std::sync::Arc;

use super::rows::{ObjectRow, decode};
use super::tables::{OBJECTS, UPLOADS, View, object_key};
use super::{FsStore, Shared};
use crate::store::listing::{Step, common_prefix, successor, walk, walk_versions};
use crate::store::{
    ListPage, ListQuery, ListUploadsPage, ListUploadsQuery, ListVersionsPage, ListVersionsQuery, Result,
    Store, StoreError,
};

/// Entries that are listed on the calling task; more are listed on the blocking pool.
const FEW: usize = 64;

impl FsStore {
    pub(super) async fn do_list(&self, bucket: &str, query: ListQuery) -> Result<ListPage> {
        let id = self.bucket(bucket)?.id;
        let few = query.limit <= FEW;
        run(few, self.shared(), move |view| list(view, id, &query)).await
    }

    pub(super) async fn do_list_versions(
        &self,
        bucket: &str,
        query: ListVersionsQuery,
    ) -> Result<ListVersionsPage> {
        let id = self.bucket(bucket)?.id;
        run(false, self.shared(), move |view| list_versions(view, id, &query)).await
    }

    pub(super) async fn do_list_uploads(
        &self,
        bucket: &str,
        query: ListUploadsQuery,
    ) -> Result<ListUploadsPage> {
        let id = self.bucket(bucket)?.id;
        run(false, self.shared(), move |view| list_uploads(view, id, &query)).await
    }
}

async fn run<T: Send + 'static>(
    here: bool,
    shared: &Arc<Shared>,
    list: impl FnOnce(&View) -> Result<T> + Send + 'static,
) -> Result<T> {
    let view = shared.view();
    if here {
        return list(&view);
    }
    let listed = tokio::task::spawn_blocking(move || list(&view)).await;
    listed.map_err(|error| StoreError::Engine(error.to_string()))?
}

fn key_of(row: &[u8]) -> Result<&str> {
    let corrupt = || StoreError::Corrupt("a key in the database cannot be read".into());
    std::str::from_utf8(row.get(8..).ok_or_else(corrupt)?).map_err(|_| corrupt())
}

/// Rows of objects, by bucket and key.
type Rows = redb::Range<'static, &'static [u8], &'static [u8]>;

fn list(view: &View, bucket: u64, query: &ListQuery) -> Result<ListPage> {
    let mut page = ListPage::default();
    let mut failed = Ok(());
    let end = (bucket + 1).to_be_bytes();
    // The walk asks for one key after the other; only a jump past a common prefix needs a new search.
    let mut rows: Option<(String, Rows)> = None;
    page.next = walk(
        &query.prefix,
        query.delimiter.as_deref(),
        query.after.as_deref(),
        query.limit,
        |from| {
            let mut range = match (rows.take(), from) {
                (Some((last, range)), Bound::Excluded(key)) if key == last => range,
                _ => {
                    let from = match from {
                        Bound::Included(key) => Bound::Included(object_key(bucket, key)),
                        Bound::Excluded(key) => Bound::Excluded(object_key(bucket, key)),
                        Bound::Unbounded => Bound::Included(object_key(bucket, "")),
                    };
                    let from = from.as_ref().map(Vec::as_slice);
                    view.objects.range::<&[u8]>((from, Bound::Excluded(end.as_slice())))?
                }
            };
            let Some(entry) = range.next() else { return Ok(None) };
            let (at, row) = entry?;
            let key = key_of(at.value())?.to_owned();
            rows = Some((key.clone(), range));
            Ok(Some((key, (at, row))))
        },
        |step| match step {
            Step::Key(key, (at, row)) => match decode::<_, _, ObjectRow>(OBJECTS, &at.value(), row.value()) {
                Ok(row) => page.objects.push((key, Arc::new(row.info))),
                Err(error) => failed = Err(error),
            },
            Step::Prefix(prefix) => page.prefixes.push(prefix),
        },
    )?;
    failed.map(|()| page)
}

fn list_versions(view: &View, bucket: u64, query: &ListVersionsQuery) -> Result<ListVersionsPage> {
    let end = (bucket + 1).to_be_bytes();
    walk_versions(
        query,
        |from| {
            let current = match from {
                Bound::Included(key) => Bound::Included(object_key(bucket, key)),
                Bound::Excluded(key) => Bound::Excluded(object_key(bucket, key)),
                Bound::Unbounded => Bound::Included(object_key(bucket, "")),
            };
            let current = current.as_ref().map(Vec::as_slice);
            let current = view.objects.range::<&[u8]>((current, Bound::Excluded(end.as_slice())))?.next();
            let current = match current {
                Some(entry) => Some(key_of(entry?.0.value())?.to_owned()),
                None => None,
            };
            let other = match from {
                Bound::Included(key) => Bound::Included((bucket, key, 0)),
                Bound::Excluded(key) => Bound::Excluded((bucket, key, u64::MAX)),
                Bound::Unbounded => Bound::Included((bucket, "", 0)),
            };
            let other = match view.versions.range((other, Bound::Excluded((bucket + 1, "", 0))))?.next() {
                Some(entry) => Some(entry?.0.value().1.to_owned()),
                None => None,
            };
            Ok(match (current, other) {
                (Some(current), Some(other)) => Some(current.min(other)),
                (current, other) => current.or(other),
            })
        },
        |key, after, limit| view.versions_after(bucket, key, after, limit),
    )
}

fn list_uploads(view: &View, bucket: u64, query: &ListUploadsQuery) -> Result<ListUploadsPage> {
    let table = view.txn.open_table(UPLOADS)?;
    let mut page = ListUploadsPage::default();
    let mut last = None;
    // Where to search: from a key and an id, exclusive where they were listed on the page before.
    let mut from = match &query.after_key {
        Some(after) if *after >= query.prefix => match &query.after_id {
            Some(id) => Some(Bound::Excluded((after.clone(), id.clone()))),
            // The least key above: all uploads of the key itself are passed over.
            None => Some(Bound::Included((format!("{after}\0"), String::new()))),
        },
        _ => Some(Bound::Included((query.prefix.clone(), String::new()))),
    };
    while let Some(start) = from.take() {
        let start = start.as_ref().map(|(key, id)| (bucket, key.as_str(), id.as_str()));
        for entry in table.range((start, Bound::Excluded((bucket + 1, "", ""))))? {
            let (at, row) = entry?;
            let (_, key, id) = at.value();
            if !key.starts_with(&query.prefix) {
                return Ok(page);
            }
            let rolled = common_prefix(key, &query.prefix, query.delimiter.as_deref());
            // A prefix that the marker lies in was listed on the page before.
            let before = rolled.is_some_and(|rolled| {
                query.after_key.as_ref().is_some_and(|after| after.starts_with(rolled))
            });
            if !before && page.uploads.len() + page.prefixes.len() == query.limit {
                page.next = last;
                return Ok(page);
            }
            let Some(rolled) = rolled else {
                page.uploads.push((key.to_owned(), decode(UPLOADS, &at.value(), row.value())?));
                last = Some((key.to_owned(), id.to_owned()));
                continue;
            };
            if !before {
                page.prefixes.push(rolled.to_owned());
                last = Some((rolled.to_owned(), String::new()));
            }
            from = successor(rolled).map(|next| Bound::Included((next, String::new())));
            break;
        }
    }
    Ok(page)
}
