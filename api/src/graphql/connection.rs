//! Relay connections: `edges`, `nodes`, `pageInfo`, `totalCount`, `readInfo`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::SimpleObject;
use projections::{Answer, ReadError};

/// Where a page begins and ends.
#[derive(Clone, SimpleObject)]
pub(super) struct PageInfo {
    /// Whether there are more rows after this page.
    pub(super) has_next_page: bool,
    /// Whether the page was asked for after a cursor, so that there are rows before it.
    pub(super) has_previous_page: bool,
    /// Cursor of the first row.
    pub(super) start_cursor: Option<String>,
    /// Cursor of the last row, or of how far a search has looked: ask for what comes after it.
    pub(super) end_cursor: Option<String>,
}

/// How many rows there are in all.
#[derive(SimpleObject)]
pub(super) struct Count {
    /// The number.
    pub(super) value: i32,
    /// Whether it is exact.
    pub(super) exact: bool,
}

type Counting = Pin<Box<dyn Future<Output = Result<Answer<u64>, ReadError>> + Send>>;

/// Counts the rows of a list, when asked for.
pub(super) type Counter = Arc<dyn Fn() -> Counting + Send + Sync>;

/// A counter over what a count needs, cloned for each time it is asked.
pub(super) fn counter<S, F, Fut>(seed: S, count: F) -> Counter
where
    S: Clone + Send + Sync + 'static,
    F: Fn(S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Answer<u64>, ReadError>> + Send + 'static,
{
    Arc::new(move || Box::pin(count(seed.clone())))
}

/// Defines the connection and the edge of a node type, from a page of the read side.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $about:literal) => {
        #[doc = $about]
        #[derive(async_graphql::Description)]
        pub(super) struct $connection {
            /// Each with its place, which is put into words only for who asks for cursors.
            rows: Vec<(projections::Cursor, $node)>,
            has_next: bool,
            end: Option<projections::Cursor>,
            has_previous: bool,
            info: projections::ReadInfo,
            counter: $crate::graphql::connection::Counter,
        }

        /// A row of the list with its cursor.
        #[derive(async_graphql::SimpleObject, Clone)]
        pub(super) struct $edge {
            /// Where the row stands in the list; stays good while rows come and go.
            cursor: String,
            /// The row.
            node: $node,
        }

        impl $connection {
            pub(super) fn new<R>(
                page: projections::Page<R>,
                has_previous: bool,
                counter: $crate::graphql::connection::Counter,
                node: impl Fn(R) -> $node,
            ) -> Self {
                let rows = page
                    .rows
                    .into_iter()
                    .map(|listed| (listed.cursor, node(listed.row)));
                Self {
                    rows: rows.collect(),
                    has_next: page.has_next,
                    end: page.end,
                    has_previous,
                    info: page.info,
                    counter,
                }
            }
        }

        #[async_graphql::Object(use_type_description)]
        impl $connection {
            /// The rows with their cursors.
            async fn edges(&self) -> Vec<$edge> {
                self.rows
                    .iter()
                    .map(|(cursor, node)| $edge {
                        cursor: cursor.to_string(),
                        node: node.clone(),
                    })
                    .collect()
            }
            /// The rows.
            async fn nodes(&self) -> Vec<&$node> {
                self.rows.iter().map(|(_, node)| node).collect()
            }
            /// Where the page begins and ends.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                $crate::graphql::connection::PageInfo {
                    has_next_page: self.has_next,
                    has_previous_page: self.has_previous,
                    start_cursor: self.rows.first().map(|(cursor, _)| cursor.to_string()),
                    end_cursor: self.end.as_ref().map(ToString::to_string),
                }
            }
            /// How many rows there are in all; counted only when asked for.
            async fn total_count(&self) -> async_graphql::Result<$crate::graphql::connection::Count> {
                let counted = (self.counter)()
                    .await
                    .map_err($crate::graphql::error::unread)?;
                let value = i32::try_from(counted.value);
                Ok($crate::graphql::connection::Count {
                    exact: value.is_ok(),
                    value: value.unwrap_or(i32::MAX),
                })
            }
            /// What the list is as of.
            async fn read_info(&self) -> $crate::graphql::read::ReadInfo {
                self.info.clone().into()
            }
        }
    };
}
pub(super) use connection;

/// Defines the payload of a command: its object as it is after the command, and what became of it.
macro_rules! payload {
    ($payload:ident, $field:ident: $node:ty) => {
        /// What a command came to.
        #[derive(async_graphql::SimpleObject)]
        pub(super) struct $payload {
            /// The object as it is after the command; null when it was refused.
            $field: Option<$node>,
            /// Why it was refused; empty when it was not. Nothing is half done.
            user_errors: Vec<$crate::graphql::error::UserError>,
            /// Position of the command's last event in the log: pass it as `atLeast` to read what it wrote.
            position: Option<$crate::graphql::scalar::LogPosition>,
            /// Whether this is the result of an earlier command with the same key.
            replayed: bool,
        }

        impl $payload {
            pub(super) fn written(node: Option<$node>, written: &commands::Written) -> Self {
                Self {
                    $field: node,
                    user_errors: Vec::new(),
                    position: Some(written.position.into()),
                    replayed: written.replayed,
                }
            }
            pub(super) fn refused(error: $crate::graphql::error::UserError) -> Self {
                Self {
                    $field: None,
                    user_errors: vec![error],
                    position: None,
                    replayed: false,
                }
            }
        }
    };
}
pub(super) use payload;
