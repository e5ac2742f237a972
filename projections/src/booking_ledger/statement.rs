//! A booking's ledger as a statement: each fact with what it moved and what was due after it.

use std::collections::HashMap;

use domain::access::{Permission, Viewer};
use domain::booking::RefundRule;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{PaymentKind, PaymentMethod, RefundKind};

use super::{BookingLedger, LedgerKind, LedgerRow};
use crate::engine::{
    Answer, At, BadCursor, Condition, Cursor, Listed, Order, Page, ReadError, ReadInfo, ReadModels, Slice,
    Value, station_scope,
};

/// A fact about a booking's money, and where the booking stood after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The fact as it is stored.
    pub row: LedgerRow,
    /// What the payment is for; none of a charge or a proposal.
    pub payment_kind: Option<PaymentKind>,
    /// How the money moved; none of a charge or a proposal.
    pub method: Option<PaymentMethod>,
    /// What a charge adds to the price, a payment's part towards it, or what is proposed to be given back, in cents.
    pub amount_cents: Cents,
    /// A payment's voluntary tip, in cents.
    pub tip_cents: Cents,
    /// What the fact added to what is due, in cents: negative for money that was found.
    pub moved_cents: Cents,
    /// What was due after it: charged less found, in cents; negative where too much had come.
    pub balance_cents: Cents,
    /// What is proposed to be given back after it, in cents; none before the booking was called off.
    pub proposed_refund_cents: Option<Cents>,
}

/// The ledger of one booking, as it happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Its entries, the first first.
    pub entries: Vec<LedgerEntry>,
}

impl Statement {
    /// The statement that the facts of one booking make.
    fn of(mut rows: Vec<LedgerRow>) -> Self {
        rows.sort_by_key(|row| row.position);
        let mut so_far = SoFar::default();
        Self {
            entries: rows.into_iter().map(|row| so_far.next(row)).collect(),
        }
    }
}

/// What the facts until now come to.
#[derive(Default)]
struct SoFar {
    charged: Cents,
    deposit: Cents,
    found: Cents,
    /// What was given back and is owed again.
    owed_again: Cents,
    /// What was given back, whatever for.
    given_back: Cents,
    /// What decides how much is proposed to be given back, and of what: what was held when the booking was called off, and
    /// what has come since.
    proposal: Option<(RefundRule, Cents)>,
    claimed: HashMap<PaymentId, Claimed>,
}

/// What was said of a payment.
#[derive(Clone, Copy)]
struct Claimed {
    kind: Option<PaymentKind>,
    method: Option<PaymentMethod>,
    amount: Cents,
    tip: Cents,
}

impl SoFar {
    fn next(&mut self, row: LedgerRow) -> LedgerEntry {
        let before = self.balance();
        let claimed = self.said(&row);
        let amount = row.amount_cents.unwrap_or(claimed.amount);
        match row.kind {
            LedgerKind::Charge => {
                self.charged += amount;
                self.deposit = row.deposit_cents.unwrap_or(Cents::ZERO);
            }
            LedgerKind::PaymentVerified | LedgerKind::PaymentSucceeded => self.come(amount),
            LedgerKind::PaymentVoided | LedgerKind::ChargedBack => self.come(-amount),
            LedgerKind::Refunded => self.give_back(row.refund_kind, amount),
            LedgerKind::RefundUndone => self.give_back(row.refund_kind, -amount),
            LedgerKind::RefundProposed => {
                let held = self.found - self.given_back;
                self.proposal = row.refund_rule.clone().map(|rule| (rule, held));
            }
            LedgerKind::PaymentClaimed | LedgerKind::PaymentRejected => {}
        }
        let proposed = self.proposed();
        LedgerEntry {
            payment_kind: claimed.kind,
            method: row.method.or(claimed.method),
            amount_cents: match row.kind {
                LedgerKind::RefundProposed => proposed.unwrap_or(Cents::ZERO),
                LedgerKind::Charge
                | LedgerKind::PaymentClaimed
                | LedgerKind::PaymentVerified
                | LedgerKind::PaymentRejected
                | LedgerKind::PaymentSucceeded
                | LedgerKind::PaymentVoided
                | LedgerKind::Refunded
                | LedgerKind::RefundUndone
                | LedgerKind::ChargedBack => amount,
            },
            tip_cents: row.tip_cents.unwrap_or(claimed.tip),
            moved_cents: self.balance() - before,
            balance_cents: self.balance(),
            proposed_refund_cents: proposed,
            row,
        }
    }

    fn balance(&self) -> Cents {
        self.charged - self.found + self.owed_again
    }

    fn come(&mut self, amount: Cents) {
        self.found += amount;
        if let Some((_, held)) = &mut self.proposal {
            *held += amount;
        }
    }

    /// What was too much and is given back is not paid any more; anything else is owed no more than before.
    fn give_back(&mut self, kind: Option<RefundKind>, amount: Cents) {
        self.given_back += amount;
        if kind.is_some_and(|kind| !kind.waives()) {
            self.owed_again += amount;
        }
    }

    fn proposed(&self) -> Option<Cents> {
        let (rule, held) = self.proposal.as_ref()?;
        Some(rule.proposed((*held).max(Cents::ZERO), self.deposit))
    }

    /// What was said of the payment that a fact is about.
    fn said(&mut self, row: &LedgerRow) -> Claimed {
        let said = Claimed {
            kind: row.payment_kind,
            method: row.method,
            amount: row.amount_cents.unwrap_or(Cents::ZERO),
            tip: row.tip_cents.unwrap_or(Cents::ZERO),
        };
        match row.payment_id {
            None => said,
            Some(payment) => *self.claimed.entry(payment).or_insert(said),
        }
    }
}

/// The statements of these bookings within the viewer's reach; none for a booking without entries.
///
/// # Errors
/// [`ReadError`] when the viewer may not see payments, or there is no answer.
pub async fn for_bookings(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    at: At,
) -> Result<Answer<HashMap<BookingId, Statement>>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let mut conditions = station_scope(viewer);
    let ids = bookings.iter().map(|id| Value::Uuid(id.0)).collect();
    conditions.push(Condition::one_of("booking_id", ids));
    let found = models.all::<BookingLedger>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| {
        let mut of_each: HashMap<BookingId, Vec<LedgerRow>> = HashMap::new();
        for row in rows {
            of_each.entry(row.booking_id).or_default().push(row);
        }
        of_each
            .into_iter()
            .map(|(booking, rows)| (booking, Statement::of(rows)))
            .collect()
    }))
}

/// A page of a statement, as it happened.
///
/// # Errors
/// [`BadCursor`] when the cursor is none of a ledger's.
pub fn page_of(statement: &Statement, slice: &Slice, info: ReadInfo) -> Result<Page<LedgerEntry>, BadCursor> {
    const ORDER: Order = Order::ascending(&["position"]);
    let after = slice
        .after
        .as_ref()
        .map(|cursor| cursor.read::<LedgerRow>(ORDER))
        .transpose()?;
    let later = |entry: &&LedgerEntry| {
        after
            .as_ref()
            .is_none_or(|after| ORDER.place(&entry.row) > *after)
    };
    let mut entries = statement.entries.iter().filter(later).cloned();
    let rows = entries.by_ref().take(usize::from(slice.first));
    let listed = |entry: LedgerEntry| Listed {
        cursor: Cursor::of(&entry.row, ORDER),
        row: entry,
    };
    let rows: Vec<Listed<LedgerEntry>> = rows.map(listed).collect();
    Ok(Page {
        end: rows.last().map(|listed| listed.cursor.clone()),
        rows,
        has_next: entries.next().is_some(),
        info,
    })
}

#[cfg(test)]
mod tests;
