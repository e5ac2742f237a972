//! The trial balance, and the entries in the order of their days.

use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::money::Cents;
use event_log::Transaction;
use futures::TryStreamExt;
use tokio::sync::mpsc::{self, Receiver};
use uuid::Uuid;

use super::account::Account;
use super::{Books, Entry};
use crate::engine::{At, Fold, Fresh, Late, ReadError, ReadInfo, ReadModels, info};

/// Entries that are handed on together.
const PAGE: usize = 1_024;
/// How long a page waits for somebody to take it: whoever does not holds a connection of the program.
const TAKEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);
/// How long an answer as of a position waits for the books to have come there.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What an account has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBalance {
    /// Its name, as beancount has it.
    pub account: String,
    /// The sum of its debits, in cents.
    pub debit_cents: Cents,
    /// The sum of its credits, in cents: a positive amount.
    pub credit_cents: Cents,
}

impl AccountBalance {
    /// Debits less credits.
    pub fn balance(&self) -> Cents {
        self.debit_cents - self.credit_cents
    }
}

/// What all accounts have come to: the debits are the credits, always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalance {
    /// The last position that it holds.
    pub position: Position,
    /// By name.
    pub accounts: Vec<AccountBalance>,
    /// What the books hold of the log.
    pub info: ReadInfo,
}

/// An entry, and the booking that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedEntry {
    /// Number of the booking.
    pub booking_number: String,
    /// What was posted.
    pub entry: Entry,
}

/// Entries some at a time, and nothing after the last of them: what ends without that was cut short.
pub(super) type Pages = Receiver<Result<Option<Vec<BookedEntry>>, ReadError>>;

impl TrialBalance {
    /// What is owed to customers for parties that are still to be held, called off or paid too much, in cents.
    pub fn deposits_held(&self) -> Cents {
        self.owed(&Account::DepositsHeld)
    }

    /// What is owed to the staff, in cents.
    pub fn tips_payable(&self) -> Cents {
        self.owed(&Account::TipsPayable)
    }

    fn owed(&self, account: &Account<'_>) -> Cents {
        let name = account.to_string();
        let balances = self.accounts.iter().filter(|balance| balance.account == name);
        -balances.map(AccountBalance::balance).sum::<Cents>()
    }
}

/// Where the books are read, and up to which position.
async fn opened(
    models: &ReadModels,
    viewer: &Viewer,
    at: At,
) -> Result<(Transaction, i32, Position, ReadInfo), ReadError> {
    let (fresh, until) = match at {
        At::Live { fresh } => (fresh, None),
        At::AsOf(position) => {
            let head = models.log().head(viewer.tenant).await?.position;
            if position > head {
                return Err(ReadError::AsOfInFuture {
                    asked: position,
                    head,
                });
            }
            let fresh = Fresh {
                at_least: position,
                wait: PATIENCE,
                then: Late::Refuse,
            };
            (Some(fresh), Some(position))
        }
    };
    let (snapshot, standing) = models.snapshot::<Books>(viewer.tenant, fresh).await?;
    let held = info(&standing, fresh, !standing.is_whole());
    let position = until.unwrap_or(held.position);
    let held = ReadInfo { position, ..held };
    Ok((snapshot, standing.generation(), position, held))
}

/// What all accounts have come to, over the stations within the viewer's reach: by entries of every day, or of a day and
/// those before it. Entries are never changed: those up to a position are the books as of it.
///
/// # Errors
/// [`ReadError`] when the viewer may not see money and tax, or there is no answer.
pub async fn trial_balance(
    models: &ReadModels,
    viewer: &Viewer,
    until: Option<NaiveDate>,
    at: At,
) -> Result<TrialBalance, ReadError> {
    require(viewer)?;
    let (mut snapshot, generation, position, info) = opened(models, viewer, at).await?;
    let sums: Vec<(String, i64, i64)> = sqlx::query_as(
        "select posting->>'account', sum(greatest((posting->>'cents')::bigint, 0))::bigint,
             sum(greatest(-(posting->>'cents')::bigint, 0))::bigint
         from book_entries book, jsonb_array_elements(book.entries) entry,
             jsonb_array_elements(entry->'postings') posting
         where book.tenant_id = $1 and book.generation = $2 and (entry->>'position')::bigint <= $3
             and ($4::uuid[] is null or book.station_id = any($4))
             and ($5::date is null or (book.first_on <= $5 and (entry->>'on')::date <= $5))
         group by 1 order by (posting->>'account') collate \"C\"",
    )
    .bind(viewer.tenant.0)
    .bind(generation)
    .bind(position.0)
    .bind(stations(viewer))
    .bind(until)
    .fetch_all(&mut *snapshot)
    .await?;
    snapshot.commit().await?;
    let account = |(account, debit, credit)| AccountBalance {
        account,
        debit_cents: Cents(debit),
        credit_cents: Cents(credit),
    };
    Ok(TrialBalance {
        position,
        accounts: sums.into_iter().map(account).collect(),
        info,
    })
}

/// The stations within the viewer's reach; none for all.
fn stations(viewer: &Viewer) -> Option<Vec<Uuid>> {
    let only = viewer.stations.only()?;
    Some(only.iter().map(|station| station.0).collect())
}

/// Who may see the books.
fn require(viewer: &Viewer) -> Result<(), ReadError> {
    viewer.require(Permission::MoneyRead)?;
    Ok(viewer.require(Permission::TaxRead)?)
}

/// Which position the books are asked for at.
pub(super) async fn position_of(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Position, ReadError> {
    require(viewer)?;
    viewer.require(Permission::TaxExport)?;
    let (snapshot, _, position, _) = opened(models, viewer, at).await?;
    snapshot.commit().await?;
    Ok(position)
}

/// Entries of days, both ends inclusive, up to a position, in the order of their days and of the log; and the accounts that
/// they are on. They come from one snapshot, some at a time.
pub(super) async fn entries(
    models: &ReadModels,
    viewer: &Viewer,
    (from, until): (NaiveDate, NaiveDate),
    position: Position,
) -> Result<(Vec<String>, Pages), ReadError> {
    require(viewer)?;
    viewer.require(Permission::TaxExport)?;
    let (mut snapshot, generation, _, _) = opened(models, viewer, At::AsOf(position)).await?;
    let tenant = viewer.tenant;
    let accounts: Vec<String> = sqlx::query_scalar(
        "select distinct (posting->>'account') collate \"C\"
         from book_entries book, jsonb_array_elements(book.entries) entry,
             jsonb_array_elements(entry->'postings') posting
         where book.tenant_id = $1 and book.generation = $2 and (entry->>'position')::bigint <= $3
             and book.last_on >= $4 and book.first_on <= $5
             and (entry->>'on')::date between $4 and $5
             and ($6::uuid[] is null or book.station_id = any($6))
         order by 1",
    )
    .bind(tenant.0)
    .bind(generation)
    .bind(position.0)
    .bind(from)
    .bind(until)
    .bind(stations(viewer))
    .fetch_all(&mut *snapshot)
    .await?;
    let (slots, pages) = mpsc::channel(1);
    let of_stations = stations(viewer);
    tokio::spawn(async move {
        let sent = async {
            let mut rows = sqlx::query_as::<_, (String, String)>(
                "select book.booking_number, entry::text
                 from book_entries book, jsonb_array_elements(book.entries) entry
                 where book.tenant_id = $1 and book.generation = $2 and (entry->>'position')::bigint <= $3
                     and book.last_on >= $4 and book.first_on <= $5
                     and (entry->>'on')::date between $4 and $5
                     and ($6::uuid[] is null or book.station_id = any($6))
                 order by (entry->>'on')::date, (entry->>'position')::bigint",
            )
            .bind(tenant.0)
            .bind(generation)
            .bind(position.0)
            .bind(from)
            .bind(until)
            .bind(of_stations)
            .fetch(&mut *snapshot);
            let mut page = Vec::with_capacity(PAGE);
            while let Some((booking_number, json)) = rows.try_next().await? {
                page.push(BookedEntry {
                    booking_number,
                    entry: read(&json)?,
                });
                if page.len() == PAGE {
                    let full = std::mem::take(&mut page);
                    if slots.send_timeout(Ok(Some(full)), TAKEN_WITHIN).await.is_err() {
                        return Ok(false);
                    }
                }
            }
            let rest = (!page.is_empty()).then_some(page);
            // Nobody may be there any more.
            let taken = match rest {
                Some(rest) => slots.send_timeout(Ok(Some(rest)), TAKEN_WITHIN).await.is_ok(),
                None => true,
            };
            Ok::<bool, ReadError>(taken)
        };
        let sent = sent.await;
        // Whoever is slow to take the rest holds no connection.
        drop(snapshot);
        match sent {
            Ok(true) => {
                slots.send(Ok(None)).await.ok();
            }
            Ok(false) => {}
            Err(error) => {
                slots.send(Err(error)).await.ok();
            }
        }
    });
    Ok((accounts, pages))
}

fn read(json: &str) -> Result<Entry, ReadError> {
    serde_json::from_str(json).map_err(|error| ReadError::Unreadable {
        table: Books::NAME,
        reason: error.to_string(),
    })
}
