//! Events that wait, kept as records of the store: written before they are acknowledged, removed once something has
//! come of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};

/// Start of the names of the records.
const PREFIX: &str = "function-event/";
/// End of the name of the record that says how far an event has come.
const STATE: &str = "/state";
/// Events that wait or run.
const MOST: usize = 10_000;
/// Bytes of their documents.
const MOST_BYTES: usize = 64 << 20;
/// Events of one function that run at a time; others wait, so that no function holds up another.
const PARALLEL: usize = 100;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Id of its invocation.
    pub id: String,
    /// The function's name.
    pub function: String,
    /// Version or alias.
    pub qualifier: Option<String>,
    /// The document: JSON.
    pub payload: String,
    /// ClientContext: JSON.
    pub client_context: Option<String>,
    /// When it was acknowledged.
    pub received: Timestamp,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Times that the function ran.
    pub attempts: u32,
    /// Times that it could not be run.
    pub refusals: u32,
    /// When it is tried next.
    pub due: Timestamp,
}

/// An event that is to be tried now.
#[derive(Debug)]
pub struct Item {
    number: u64,
    /// The event.
    pub queued: Arc<Queued>,
    /// How far it has come.
    pub state: State,
}

/// Events that wait.
#[derive(Debug)]
pub struct EventQueue {
    table: Arc<dyn RecordTable>,
    inner: Mutex<Inner>,
    /// Wakes when there may be something to do.
    pub news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    count: usize,
    bytes: usize,
    functions: HashMap<String, OfFunction>,
}

#[derive(Debug, Default)]
struct OfFunction {
    /// By due time, then by number.
    waiting: BTreeMap<(Timestamp, u64), (Arc<Queued>, State)>,
    running: usize,
}

/// Why an event was not taken.
#[derive(Debug)]
pub enum PutError {
    /// Too many wait.
    Full,
    /// It could not be kept.
    Store(StoreError),
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number:016x}")
}

fn value<T: Serialize>(of: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(of).map_err(|error| StoreError::Engine(error.to_string()))
}

impl EventQueue {
    /// Opens it with what the last process left. Reads the records, and blocks for that.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn open(table: Arc<dyn RecordTable>) -> Result<Self> {
        let mut events: BTreeMap<u64, Queued> = BTreeMap::new();
        let mut states: HashMap<u64, State> = HashMap::new();
        for record in table.load()? {
            let Some(rest) = record.name.strip_prefix(PREFIX).filter(|_| record.kind == TASK) else {
                continue;
            };
            let (number, is_state) = match rest.strip_suffix(STATE) {
                Some(number) => (number, true),
                None => (rest, false),
            };
            let number = u64::from_str_radix(number, 16).map_err(|error| error.to_string());
            let read = number.and_then(|number| {
                let bad = |error: serde_json::Error| error.to_string();
                if is_state {
                    states.insert(number, serde_json::from_slice(&record.value).map_err(bad)?);
                } else {
                    events.insert(number, serde_json::from_slice(&record.value).map_err(bad)?);
                }
                Ok(())
            });
            if let Err(error) = read {
                tracing::warn!(name = %record.name, error, "an event for a function cannot be read");
            }
        }
        let mut inner = Inner { next: 1, ..Inner::default() };
        for (number, queued) in events {
            let fresh = State { attempts: 0, refusals: 0, due: queued.received };
            let state = states.remove(&number).unwrap_or(fresh);
            inner.next = inner.next.max(number + 1);
            (inner.count, inner.bytes) = (inner.count + 1, inner.bytes + queued.payload.len());
            inner.wait(number, Arc::new(queued), state);
        }
        Ok(Self { table, inner: Mutex::new(inner), news: Notify::new() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events that wait or run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes an event. Once it answers the event is kept, also where the caller has gone away meanwhile.
    ///
    /// # Errors
    /// [`PutError`]; then it is not kept.
    pub async fn put(self: &Arc<Self>, queued: Queued) -> std::result::Result<(), PutError> {
        let size = queued.payload.len();
        let number = {
            let mut inner = self.inner();
            if inner.count >= MOST || inner.bytes + size > MOST_BYTES {
                return Err(PutError::Full);
            }
            (inner.count, inner.bytes) = (inner.count + 1, inner.bytes + size);
            let number = inner.next;
            inner.next += 1;
            number
        };
        let this = Arc::clone(self);
        let putting = tokio::spawn(async move {
            let written = match value(&queued) {
                Ok(value) => {
                    let change = RecordChange { kind: TASK.into(), name: name(number), value: Some(value) };
                    this.table.write(vec![change]).await
                }
                Err(error) => Err(error),
            };
            let mut inner = this.inner();
            if let Err(error) = written {
                (inner.count, inner.bytes) = (inner.count - 1, inner.bytes - size);
                return Err(PutError::Store(error));
            }
            let state = State { attempts: 0, refusals: 0, due: queued.received };
            inner.wait(number, Arc::new(queued), state);
            drop(inner);
            this.news.notify_one();
            Ok(())
        });
        putting.await.map_err(|error| PutError::Store(StoreError::Engine(error.to_string())))?
    }

    /// What is to be tried now, the first due first, and when there will be more.
    pub fn take(&self, now: Timestamp) -> (Vec<Item>, Option<Timestamp>) {
        let mut inner = self.inner();
        let mut items = Vec::new();
        let mut next = None;
        for of in inner.functions.values_mut() {
            while of.running < PARALLEL
                && let Some(first) = of.waiting.first_entry()
            {
                let (due, number) = *first.key();
                if due > now {
                    next = Some(next.map_or(due, |next: Timestamp| next.min(due)));
                    break;
                }
                let (queued, state) = first.remove();
                of.running += 1;
                items.push(Item { number, queued, state });
            }
        }
        items.sort_by_key(|item| (item.state.due, item.number));
        (items, next)
    }

    /// Puts an event back, to be tried again when it is due.
    ///
    /// # Errors
    /// The store's; it is tried again all the same, and by the next process as if it had not come so far.
    pub async fn put_back(&self, item: Item) -> Result<()> {
        let Item { number, queued, state } = item;
        let name = format!("{}{STATE}", name(number));
        let written = match value(&state) {
            Ok(value) => {
                self.table.write(vec![RecordChange { kind: TASK.into(), name, value: Some(value) }]).await
            }
            Err(error) => Err(error),
        };
        let mut inner = self.inner();
        inner.ended(&queued.function);
        inner.wait(number, queued, state);
        drop(inner);
        self.news.notify_one();
        written
    }

    /// Forgets an event: something has come of it.
    ///
    /// # Errors
    /// The store's; the next process tries it again.
    pub async fn forget(&self, item: &Item) -> Result<()> {
        let names = [name(item.number), format!("{}{STATE}", name(item.number))];
        let changes = names.map(|name| RecordChange { kind: TASK.into(), name, value: None });
        let written = self.table.write(changes.into()).await;
        let mut inner = self.inner();
        inner.ended(&item.queued.function);
        (inner.count, inner.bytes) = (inner.count - 1, inner.bytes - item.queued.payload.len());
        drop(inner);
        self.news.notify_one();
        written
    }
}

impl Inner {
    fn wait(&mut self, number: u64, queued: Arc<Queued>, state: State) {
        let of = self.functions.entry(queued.function.clone()).or_default();
        of.waiting.insert((state.due, number), (queued, state));
    }

    fn ended(&mut self, function: &str) {
        let Some(of) = self.functions.get_mut(function) else { return };
        of.running -= 1;
        if of.running == 0 && of.waiting.is_empty() {
            self.functions.remove(function);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn event(function: &str, id: &str, received: i64) -> Queued {
        Queued {
            id: id.into(),
            function: function.into(),
            qualifier: None,
            payload: format!("{{\"id\":\"{id}\"}}"),
            client_context: None,
            received: Timestamp::from_second(received).unwrap(),
        }
    }

    #[tokio::test]
    async fn what_is_acknowledged_is_there_after_a_crash_with_what_was_tried() {
        let store = Arc::new(MemoryStore::new(Arc::new(crate::clock::SystemClock)));
        let open = || Arc::new(EventQueue::open(Arc::clone(&store) as Arc<dyn RecordTable>).unwrap());
        let at = |second| Timestamp::from_second(second).unwrap();
        let queue = open();
        for (id, received) in [("a", 1), ("b", 2), ("c", 3)] {
            queue.put(event("f", id, received)).await.unwrap();
        }
        let (mut items, next) = queue.take(at(2));
        assert_eq!((items.len(), next), (2, Some(at(3))));
        let (b, mut a) = (items.pop().unwrap(), items.pop().unwrap());
        assert_eq!((a.queued.id.as_str(), b.queued.id.as_str()), ("a", "b"));
        queue.forget(&b).await.unwrap();
        a.state = State { attempts: 1, refusals: 0, due: at(10) };
        queue.put_back(a).await.unwrap();
        let queue = open();
        assert_eq!(queue.len(), 2);
        let (items, next) = queue.take(at(5));
        assert_eq!((items.len(), items[0].queued.id.as_str(), next), (1, "c", Some(at(10))));
        let (items, _) = queue.take(at(10));
        assert_eq!((items[0].queued.id.as_str(), items[0].state.attempts), ("a", 1));
        // What was under way when the process ended is tried again.
        assert_eq!(open().take(at(10)).0.len(), 2);
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_no_function_holds_up_another() {
        let queue = Arc::new(
            EventQueue::open(Arc::new(MemoryStore::new(Arc::new(crate::clock::SystemClock)))).unwrap(),
        );
        for n in 0..PARALLEL + 5 {
            queue.put(event("f", &n.to_string(), 1)).await.unwrap();
        }
        queue.put(event("g", "g", 2)).await.unwrap();
        let now = Timestamp::from_second(3).unwrap();
        let (items, _) = queue.take(now);
        assert_eq!(items.len(), PARALLEL + 1);
        queue.forget(&items[0]).await.unwrap();
        assert_eq!(queue.take(now).0.len(), 1);
        let large = Queued { payload: "x".repeat(MOST_BYTES), ..event("h", "h", 1) };
        assert!(matches!(queue.put(large).await, Err(PutError::Full)));
    }
}
