//! The books: for those with money:read and tax:read.

use async_graphql::{Context, Description, Object, Result, SimpleObject};
use domain::money::Cents;
use projections::books::{AccountBalance, TrialBalance as Trial, trial_balance};

use super::error::unread;
use super::read::{AsOf, Freshness, ReadInfo, at};
use super::scalar::{LocalDate, LogPosition, Money};
use super::session::{app, viewer};

/// What an account has come to.
#[derive(SimpleObject)]
pub(super) struct AccountTotal {
    /// Its name, as beancount has it: `Liabilities:Tax-Payable:CA:Santa-Clara`.
    account: String,
    /// The sum of its debits.
    debit: Money,
    /// The sum of its credits.
    credit: Money,
    /// Debits less credits: what is owed by the company is negative.
    balance: Money,
}

impl From<&AccountBalance> for AccountTotal {
    fn from(account: &AccountBalance) -> Self {
        Self {
            account: account.account.clone(),
            debit: account.debit_cents.into(),
            credit: account.credit_cents.into(),
            balance: account.balance().into(),
        }
    }
}

/// What all accounts have come to. The debits are the credits, always.
#[derive(Description)]
pub(super) struct TrialBalance(Trial);

#[Object(use_type_description)]
impl TrialBalance {
    /// The position in the log that it includes, and nothing after it.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
    /// Every account that something was posted on, by name.
    async fn accounts(&self) -> Vec<AccountTotal> {
        self.0.accounts.iter().map(AccountTotal::from).collect()
    }
    /// The sum of all balances: zero.
    async fn sum(&self) -> Money {
        let sum: Cents = self.0.accounts.iter().map(AccountBalance::balance).sum();
        sum.into()
    }
    /// What it is as of.
    async fn read_info(&self) -> ReadInfo {
        self.0.info.clone().into()
    }
}

/// Questions about the books.
#[derive(Default)]
pub(super) struct BooksQuery;

#[Object]
impl BooksQuery {
    /// What all accounts of the company have come to: double entry, from the same facts as everything else. Needs
    /// money:read and tax:read.
    async fn trial_balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "By entries of this day and those before it: as the books were closed on it. All days otherwise."
        )]
        until: Option<LocalDate>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TrialBalance> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        Ok(TrialBalance(
            trial_balance(views, viewer, until.map(|day| day.0), at)
                .await
                .map_err(unread)?,
        ))
    }
}
