//! What fields ask for at the same time, looked up at once.
//!
//! All fields of an answer are resolved by one task, and each in its turn: whoever has asked and then waits for another turn
//! comes after everybody who has not had the first. So a page of bookings asks once for their customers, on an idle machine as
//! on a busy one. A batch that waits for some time instead is split where the machine is slow, which makes it slower.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use projections::ReadError;

/// What was found for keys, or why nothing was.
pub(super) type Loaded<K, V> = Result<HashMap<K, V>, Arc<ReadError>>;

/// Looks up many keys with one question.
pub(super) trait Load<K>: Send + Sync + 'static {
    /// What is found for a key.
    type Value;

    /// Looks them up. What is not found is left out.
    fn load(&self, keys: &[K]) -> impl Future<Output = Loaded<K, Self::Value>> + Send;
}

type Found<K, V> = Shared<BoxFuture<'static, Result<Arc<HashMap<K, V>>, Arc<ReadError>>>>;

/// The keys of one kind that are asked for in a request.
pub(super) struct Batch<K, V> {
    /// Who takes the keys leaves none.
    open: Arc<Mutex<Option<Open<K, V>>>>,
}

/// Keys that nobody has looked up yet, and what will come of it. Whoever waits for it drives it, so that nobody waits for
/// somebody who has given up.
struct Open<K, V> {
    keys: HashSet<K>,
    found: Found<K, V>,
}

impl<K, V> Default for Batch<K, V> {
    fn default() -> Self {
        Self { open: Arc::default() }
    }
}

impl<K, V> Batch<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What is found for a key.
    pub(super) async fn one(
        &self,
        by: &Arc<impl Load<K, Value = V>>,
        key: K,
    ) -> Result<Option<V>, Arc<ReadError>> {
        let found = self.ask(by, [key.clone()]);
        tokio::task::yield_now().await;
        Ok(found.await?.get(&key).cloned())
    }

    /// What is found for keys, in their order.
    pub(super) async fn many(
        &self,
        by: &Arc<impl Load<K, Value = V>>,
        keys: Vec<K>,
    ) -> Result<Vec<V>, Arc<ReadError>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.ask(by, keys.iter().cloned());
        tokio::task::yield_now().await;
        let found = found.await?;
        Ok(keys.iter().filter_map(|key| found.get(key).cloned()).collect())
    }

    /// Adds keys to those that are looked up next. To be waited for in the next turn, not in this one: others have not asked yet.
    fn ask(&self, by: &Arc<impl Load<K, Value = V>>, keys: impl IntoIterator<Item = K>) -> Found<K, V> {
        let mut held = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = held.get_or_insert_with(|| Open {
            keys: HashSet::new(),
            found: self.look_up(Arc::clone(by)),
        });
        open.keys.extend(keys);
        open.found.clone()
    }

    /// Looks up what has been asked for when the first of those who ask has its next turn.
    fn look_up(&self, by: Arc<impl Load<K, Value = V>>) -> Found<K, V> {
        let open = Arc::clone(&self.open);
        let found = async move {
            let taken = open.lock().unwrap_or_else(PoisonError::into_inner).take();
            let keys: Vec<K> = taken.map_or_else(Vec::new, |taken| taken.keys.into_iter().collect());
            by.load(&keys).await.map(Arc::new)
        };
        found.boxed().shared()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{join_all, select};

    use super::*;

    /// Finds the double of every number but 13, and says how many were asked for at once.
    #[derive(Default)]
    struct Doubles(Mutex<Vec<usize>>);

    impl Load<u32> for Doubles {
        type Value = u32;
        async fn load(&self, keys: &[u32]) -> Loaded<u32, u32> {
            self.0.lock().unwrap().push(keys.len());
            tokio::task::yield_now().await;
            let known = keys.iter().filter(|key| **key != 13);
            Ok(known.map(|key| (*key, key * 2)).collect())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_asked_for_at_the_same_time_is_one_question_on_a_slow_machine_too() {
        let (by, batch) = (Arc::new(Doubles::default()), Batch::default());
        // Each list within the list is joined by itself, as an answer's are.
        let asked = (0..50).map(|row| {
            let (by, batch) = (&by, &batch);
            async move {
                std::thread::sleep(std::time::Duration::from_millis(2));
                let fields = join_all((0..40).map(|field| batch.one(by, row * 40 + field))).await;
                let first = fields.into_iter().map(|found| found.unwrap()).collect::<Vec<_>>();
                let again = batch.one(by, row).await.unwrap();
                (first, again)
            }
        });
        let found = join_all(asked).await;
        assert_eq!(found[0].0[..3], [Some(0), Some(2), Some(4)]);
        assert_eq!((found[0].0[13], found[5].1), (None, Some(10)));
        assert_eq!(*by.0.lock().unwrap(), [2_000, 50]);
    }

    #[tokio::test]
    async fn many_are_found_in_the_order_of_their_keys_and_nothing_is_no_question() {
        let (by, batch) = (Arc::new(Doubles::default()), Batch::default());
        assert_eq!(batch.many(&by, vec![3, 13, 1]).await.unwrap(), [6, 2]);
        assert!(batch.many(&by, Vec::new()).await.unwrap().is_empty());
        assert_eq!(*by.0.lock().unwrap(), [3]);
    }

    #[tokio::test]
    async fn who_gives_up_keeps_nobody_waiting() {
        let (by, batch) = (Arc::new(Doubles::default()), Batch::default());
        let first = Box::pin(batch.one(&by, 1));
        // Polled once, then dropped.
        drop(select(first, futures::future::ready(())).await);
        assert_eq!(batch.one(&by, 2).await.unwrap(), Some(4));
        let first = Box::pin(batch.one(&by, 3));
        let second = batch.one(&by, 4);
        let (second, ()) = futures::join!(second, async {
            drop(select(first, Box::pin(tokio::task::yield_now())).await);
        });
        assert_eq!(second.unwrap(), Some(8));
    }
}
