//! A catalog in memory, for tests.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Catalog, Decide, View};
use crate::error::ApiError;

/// A catalog that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    view: ArcSwap<View>,
    writer: Mutex<()>,
}

#[async_trait]
impl Catalog for MemoryCatalog {
    fn snapshot(&self) -> Arc<View> {
        self.view.load_full()
    }

    async fn update(&self, change: Decide) -> Result<(), ApiError> {
        let _turn = self.writer.lock().await;
        let mut next = View::clone(&self.view.load());
        for change in change(&next)? {
            next.apply(change);
        }
        self.view.store(Arc::new(next));
        Ok(())
    }
}
