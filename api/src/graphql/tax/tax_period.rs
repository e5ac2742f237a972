//! Closing periods of tax and opening them again; what the accountant chooses.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::tax_period::TaxPeriodAsk;
use commands::{CommandError, IdempotencyKey, Written};
use domain::tax_account::{CardFeeTax, KeptDepositTax};
use projections::tax_periods::{self, TaxPeriodRow, TaxPeriodStatus as Status};

use super::period;
use super::report::{TaxBasis, TaxReport, report};
use crate::graphql::connection::{connection, counter, payload};
use crate::graphql::error::{UserError, fault, outcome, unread};
use crate::graphql::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use crate::graphql::scalar::{LocalDate, LogPosition, Money};
use crate::graphql::session::{app, caller, under_key, viewer};
use crate::tax_closing::{self, ClosingError};

/// Where a period stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum TaxPeriodStatus {
    /// Lines are added to its days.
    Open,
    /// It is about to be closed: no lines are added any more.
    Closing,
    /// Its report stays as it is; later facts belong to later days.
    Closed,
}

impl From<Status> for TaxPeriodStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Closing => Self::Closing,
            Status::Closed => Self::Closed,
        }
    }
}

/// Days of a state that were to be closed together.
#[derive(Clone, Description)]
pub(in crate::graphql) struct TaxPeriod(TaxPeriodRow);

#[Object(use_type_description)]
impl TaxPeriod {
    /// Two-letter state.
    async fn state(&self) -> &str {
        &self.0.state
    }
    /// As it was asked for: `2026-Q1`.
    async fn period(&self) -> &str {
        &self.0.name
    }
    /// First day.
    async fn from(&self) -> LocalDate {
        LocalDate(self.0.from_on)
    }
    /// Last day.
    async fn until(&self) -> LocalDate {
        LocalDate(self.0.until_on)
    }
    /// Where it stands.
    async fn status(&self) -> TaxPeriodStatus {
        self.0.status.into()
    }
    /// The position in the log that the report of its last closing holds.
    async fn position(&self) -> Option<LogPosition> {
        self.0.position.map(LogPosition::from)
    }
    /// SHA-256 of the rows of that report.
    async fn checksum(&self) -> Option<&str> {
        self.0.checksum.as_deref()
    }
    /// What that report comes to.
    async fn net_tax(&self) -> Option<Money> {
        self.0.net_tax_cents.map(Money::from)
    }
    /// When it came to stand so.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
    /// Why, of one that was opened again or could not be closed.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

connection!(
    TaxPeriodConnection,
    TaxPeriodEdge,
    TaxPeriod,
    "Periods that were to be closed, by state and first day."
);

/// Questions about periods.
#[derive(Default)]
pub(in crate::graphql) struct TaxPeriodQuery;

#[Object]
impl TaxPeriodQuery {
    /// Periods of tax that are closed, or were. Needs tax:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tax_periods(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Two-letter state.")] state: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TaxPeriodConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = tax_periods::page(views, viewer, state.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), state),
            move |(views, viewer, state)| async move { tax_periods::count(&views, &viewer, state, at).await },
        );
        Ok(TaxPeriodConnection::new(page, previous, counter, TaxPeriod))
    }
}

/// A period to close.
#[derive(InputObject)]
pub(in crate::graphql) struct TaxPeriodInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Two-letter state.
    state: String,
    /// A month, a quarter, a year, or a first and a last day.
    period: String,
}

/// A period to open again.
#[derive(InputObject)]
pub(in crate::graphql) struct TaxPeriodReopenInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Two-letter state.
    state: String,
    /// The period as it was closed, or the same days.
    period: String,
    /// Why; 3 to 500 characters.
    reason: String,
}

payload!(TaxPeriodPayload, tax_report: TaxReport);

/// How much of a card fee is taxed.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "CardFeeTax")]
pub(in crate::graphql) enum CardFeeTaxed {
    /// All of it (annotation 295.2000).
    Whole,
    /// Only the part that is taken on what is taxed itself.
    OnTaxedCharges,
}

/// How card fees are to be taxed.
#[derive(InputObject)]
pub(in crate::graphql) struct CardFeeTaxChooseInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// How much of a card fee is taxed, of fees that are put on record from now on.
    card_fee: CardFeeTaxed,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// Whether what is kept of a booking that was called off is a sale.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "KeptDepositTax")]
pub(in crate::graphql) enum KeptDepositTaxed {
    /// Nothing was sold: it is not taxed.
    NotASale,
    /// It is a sale, and the tax is in it.
    Sale,
}

/// How what is kept of a booking that was called off is to be taxed.
#[derive(InputObject)]
pub(in crate::graphql) struct KeptDepositTaxChooseInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Whether it is a sale, of bookings that are called off from now on.
    kept_deposit: KeptDepositTaxed,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// What a choice came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct KeptDepositTaxPayload {
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

/// What a choice came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CardFeeTaxPayload {
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

/// Commands on periods.
#[derive(Default)]
pub(in crate::graphql) struct TaxPeriodMutation;

#[Object]
impl TaxPeriodMutation {
    /// Closes a period that is over: its report stays as it is, and later facts belong to later days. Refused with
    /// TAX_PERIOD_UNRESOLVED while bookings lack a rate or their place is to be confirmed. Needs tax:close.
    async fn tax_period_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TaxPeriodInput,
    ) -> Result<TaxPeriodPayload> {
        let caller = caller(ctx)?;
        let period = period(&input.period)?;
        let done = match IdempotencyKey::from_client(&input.idempotency_key) {
            // On the heap: what it calls is large, and every list of commands around it would hold it once more.
            Ok(key) => Box::pin(tax_closing::close(app(ctx), caller, key, &input.state, &period)).await,
            Err(error) => Err(error.into()),
        };
        let done = match done {
            Ok(written) => Ok(written),
            Err(ClosingError::Command(error)) => Err(error),
            Err(ClosingError::Read(error)) => return Err(unread(error)),
            Err(error @ ClosingError::Policy(_)) => return Err(fault("UNAVAILABLE", &error)),
        };
        shown(ctx, done, &input.state, period).await
    }

    /// Opens a closed period again; what was added to later days meanwhile stays there. Needs tax:close.
    async fn tax_period_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TaxPeriodReopenInput,
    ) -> Result<TaxPeriodPayload> {
        let caller = caller(ctx)?;
        let period = period(&input.period)?;
        let ask = TaxPeriodAsk {
            state: input.state.clone(),
            period: tax_closing::days(&period),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .reopen_tax_period(caller, key, ask, input.reason)
        })
        .await;
        shown(ctx, done, &input.state, period).await
    }

    /// Chooses how much of a card fee is taxed. Needs tax:close.
    async fn card_fee_tax_choose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: CardFeeTaxChooseInput,
    ) -> Result<CardFeeTaxPayload> {
        let caller = caller(ctx)?;
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .choose_card_fee_tax(caller, key, input.card_fee.into(), input.reason)
        })
        .await;
        Ok(match outcome(done)? {
            Err(refused) => CardFeeTaxPayload {
                user_errors: vec![refused],
                position: None,
                replayed: false,
            },
            Ok(written) => CardFeeTaxPayload {
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
        })
    }

    /// Chooses whether what is kept of a booking that was called off is a sale: of bookings that are called off from now on.
    /// Needs tax:close.
    async fn kept_deposit_tax_choose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: KeptDepositTaxChooseInput,
    ) -> Result<KeptDepositTaxPayload> {
        let caller = caller(ctx)?;
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .choose_kept_deposit_tax(caller, key, input.kept_deposit.into(), input.reason)
        })
        .await;
        Ok(match outcome(done)? {
            Err(refused) => KeptDepositTaxPayload {
                user_errors: vec![refused],
                position: None,
                replayed: false,
            },
            Ok(written) => KeptDepositTaxPayload {
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
        })
    }
}

/// The report as it is after a command.
async fn shown(
    ctx: &Context<'_>,
    done: std::result::Result<Written, CommandError>,
    state: &str,
    period: projections::period::Period,
) -> Result<TaxPeriodPayload> {
    match outcome(done)? {
        Err(refused) => Ok(TaxPeriodPayload::refused(refused)),
        Ok(written) => {
            let report = Box::pin(report(
                ctx,
                state,
                period,
                TaxBasis::EventDate,
                read_after(written.position),
            ))
            .await?;
            Ok(TaxPeriodPayload::written(Some(report), &written))
        }
    }
}
