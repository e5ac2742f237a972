//! Closing periods of tax and opening them again.
//!
//! A closing has two steps, and so two events. After the first no line is added to the period's days: whoever writes one
//! guards the state's stream at the version that was read. What the report comes to then cannot change any more before the
//! second step writes it down.

use chrono::NaiveDate;
use domain::access::{Permission, StationScope};
use domain::decider::Decider;
use domain::envelope::Position;
use domain::money::Cents;
use domain::organisation::{Organisation, OrganisationCommand};
use domain::station::Station;
use domain::tax_account::{CardFeeTax, KeptDepositTax};
use domain::tax_period::{
    TaxDays, TaxPeriodClosed, TaxPeriodClosingWithdrawn, TaxPeriodCommand, TaxPeriodError, TaxPeriods,
    UnresolvedTax,
};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// Days of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaxPeriodAsk {
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: TaxDays,
}

/// What a report comes to after which a period is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportToClose {
    /// The closing under which it was made, as [`begin_closing`](Commands::begin_closing) says; none before.
    pub closing: Option<i64>,
    /// Place in the log that it holds: after the closing was begun.
    pub position: Position,
    /// Checksum of its rows.
    pub checksum: String,
    /// Tax less what was given back, in cents.
    pub net_tax_cents: Cents,
}

/// A period is closed and opened again for the whole company.
fn require_closing(caller: &Caller) -> Result<(), CommandError> {
    caller.require(Permission::TaxClose)?;
    if caller.stations == StationScope::All {
        return Ok(());
    }
    Err(CommandError::Refused(Refused {
        code: "NEEDS_ALL_STATIONS",
        field: Vec::new(),
        message: "a period is closed for all stations; you are kept to some".to_owned(),
    }))
}

impl Commands {
    /// Whether the caller may close a period, and it could be closed by its dates: asked before the report is made.
    ///
    /// # Errors
    /// Those of [`begin_closing`](Self::begin_closing), and `NEEDS_ALL_STATIONS`.
    pub async fn may_close(&self, caller: &Caller, ask: &TaxPeriodAsk) -> Result<(), CommandError> {
        require_closing(caller)?;
        let standing = self.load::<TaxPeriods>(caller, &ask.state).await?.state;
        if standing.closing(&ask.period).is_some() {
            return Ok(());
        }
        let command = TaxPeriodCommand::BeginClosing {
            state: ask.state.clone(),
            period: ask.period.clone(),
            today: self.day_everywhere(caller).await?,
            now: self.ports.now(),
        };
        standing.decide(command).map_err(CommandError::refused)?;
        Ok(())
    }

    /// Lets no more lines be added to days that are about to be closed, and says by which closing. Where that is so already,
    /// or they are closed, nothing is written.
    ///
    /// # Errors
    /// `TAX_PERIOD_NOT_OVER`, `TAX_PERIOD_OVERLAPS`, `INVALID_STATE`; `TAX_PERIOD_OPENED_MEANWHILE` where somebody has
    /// opened them again at once.
    pub async fn begin_closing(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: TaxPeriodAsk,
    ) -> Result<i64, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            require_closing(&caller)?;
            let standing = this.load::<TaxPeriods>(&caller, &ask.state).await?;
            if let Some(closing) = standing.state.closing(&ask.period) {
                return Ok(closing);
            }
            // A key of its own for each attempt: the one before may have been given up.
            let key = key.derived(&format!("closing begun at version {}", standing.version.0));
            this.run(&caller, &key, "tax_period_begin_closing", &ask, || async {
                let command = TaxPeriodCommand::BeginClosing {
                    state: ask.state.clone(),
                    period: ask.period.clone(),
                    today: this.day_everywhere(&caller).await?,
                    now: this.ports.now(),
                };
                this.plan_period(&caller, &ask.state, command).await
            })
            .await?;
            let begun = this.load::<TaxPeriods>(&caller, &ask.state).await?.state;
            let closing = begun.closing(&ask.period);
            closing.ok_or_else(|| CommandError::refused(TaxPeriodError::OpenedMeanwhile))
        })
        .await
    }

    /// Closes days whose closing was begun, with what the report comes to. Where something is unresolved, lines may be
    /// added to them again.
    ///
    /// # Errors
    /// `TAX_PERIOD_UNRESOLVED` with what is; `TAX_PERIOD_CLOSED`; `TAX_PERIOD_OPENED_MEANWHILE` where lines could be added
    /// since the report was made.
    pub async fn close_tax_period(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: TaxPeriodAsk,
        report: ReportToClose,
        unresolved: UnresolvedTax,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            require_closing(&caller)?;
            if !unresolved.is_empty() {
                this.withdraw_closing(&caller, &key, &ask, &unresolved).await?;
                return Err(CommandError::refused(TaxPeriodError::Unresolved(unresolved)));
            }
            // What the report came to is no part of what was asked: a repeat may find another position.
            this.run(&caller, &key, "tax_period_close", &ask, || async {
                let closed = TaxPeriodClosed {
                    state: ask.state.clone(),
                    period: ask.period.clone(),
                    position: report.position,
                    checksum: report.checksum.clone(),
                    net_tax_cents: report.net_tax_cents,
                    closed_at: this.ports.now(),
                };
                let command = TaxPeriodCommand::Close {
                    closed: Box::new(closed),
                    closing: report.closing,
                    unresolved: UnresolvedTax::default(),
                };
                this.plan_period(&caller, &ask.state, command).await
            })
            .await
        })
        .await
    }

    async fn withdraw_closing(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        ask: &TaxPeriodAsk,
        unresolved: &UnresolvedTax,
    ) -> Result<(), CommandError> {
        let standing = self.load::<TaxPeriods>(caller, &ask.state).await?;
        if !standing.state.is_closing(&ask.period) {
            return Ok(());
        }
        let key = key.derived(&format!("closing withdrawn at version {}", standing.version.0));
        self.run(
            caller,
            &key,
            "tax_period_withdraw_closing",
            &(ask, unresolved),
            || async {
                let command = TaxPeriodCommand::Withdraw(TaxPeriodClosingWithdrawn {
                    state: ask.state.clone(),
                    period: ask.period.clone(),
                    unresolved: unresolved.clone(),
                    withdrawn_at: self.ports.now(),
                });
                self.plan_period(caller, &ask.state, command).await
            },
        )
        .await?;
        Ok(())
    }

    /// Opens a closed period again.
    ///
    /// # Errors
    /// `TAX_PERIOD_NOT_CLOSED`, `INVALID_REASON`.
    pub async fn reopen_tax_period(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: TaxPeriodAsk,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            require_closing(&caller)?;
            this.run(&caller, &key, "tax_period_reopen", &(&ask, &reason), || async {
                let command = TaxPeriodCommand::Reopen {
                    state: ask.state.clone(),
                    period: ask.period.clone(),
                    reason: reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_period(&caller, &ask.state, command).await
            })
            .await
        })
        .await
    }

    /// Chooses how much of a card fee is taxed, for fees that are put on record from now on.
    ///
    /// # Errors
    /// `UNCHANGED`, `INVALID_REASON`.
    pub async fn choose_card_fee_tax(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        card_fee: CardFeeTax,
        reason: String,
    ) -> Result<Written, CommandError> {
        let body = (card_fee, reason.clone());
        let command = OrganisationCommand::ChooseCardFeeTax {
            card_fee,
            reason,
            now: self.ports.now(),
        };
        self.choose_tax(caller, key, ("card_fee_tax_choose", body), command)
            .await
    }

    /// Chooses whether what is kept of a party that was called off is a sale, for parties that are called off from now on.
    ///
    /// # Errors
    /// `UNCHANGED`, `INVALID_REASON`.
    pub async fn choose_kept_deposit_tax(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        kept_deposit: KeptDepositTax,
        reason: String,
    ) -> Result<Written, CommandError> {
        let body = (kept_deposit, reason.clone());
        let command = OrganisationCommand::ChooseKeptDepositTax {
            kept_deposit,
            reason,
            now: self.ports.now(),
        };
        self.choose_tax(caller, key, ("kept_deposit_tax_choose", body), command)
            .await
    }

    /// A choice for the whole company, under the name and with the body that a repeat is known by.
    async fn choose_tax(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        (name, body): (&'static str, impl Serialize + Send + Sync + 'static),
        command: OrganisationCommand,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            require_closing(&caller)?;
            this.run(&caller, &key, name, &body, || {
                this.plan_organisation(&caller, command.clone())
            })
            .await
        })
        .await
    }

    async fn plan_period(
        &self,
        caller: &Caller,
        state: &str,
        command: TaxPeriodCommand,
    ) -> Result<Plan, CommandError> {
        let Loaded {
            state: periods,
            version,
        } = self.load::<TaxPeriods>(caller, state).await?;
        let events = periods.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<TaxPeriods>(self, state, version, events))
    }

    /// The day that it is at whichever station's clock is most behind: a day is over when it is so at all of them.
    async fn day_everywhere(&self, caller: &Caller) -> Result<NaiveDate, CommandError> {
        let now = self.ports.now();
        let id = organisation_id(caller.tenant);
        let company = self.load::<Organisation>(caller, &id).await?;
        let mut today = now.date_naive();
        for added in company.state.stations() {
            let station = self
                .load::<Station>(caller, &added.station_id.to_string())
                .await?;
            if let Some(opened) = station.state.opened() {
                today = today.min(now.with_timezone(&opened.zone).date_naive());
            }
        }
        Ok(today)
    }
}
