//! A price list as a sheet: one row for each price that is in force or to come.

use chrono::{DateTime, Utc};

use super::super::{BadRow, ImportSheet, ItemAdded, PriceListError, PriceListEvent, SheetRow};
use super::PriceList;
use crate::decider::Decider;
use crate::money::Cents;

impl PriceList {
    /// What is on offer at an instant with what is to come of it, by name and time. Read back as a sheet, it changes
    /// nothing.
    pub fn sheet(&self, at: DateTime<Utc>) -> Vec<SheetRow> {
        let mut rows = Vec::new();
        for item in self.items.values() {
            let row = |price_cents: Cents, effective_from: Option<DateTime<Utc>>| SheetRow {
                line: 0,
                item: item.added.item.clone(),
                label: item.added.label.clone(),
                kind: item.added.kind,
                price_cents,
                min_cents: item.added.min_cents,
                max_cents: item.added.max_cents,
                effective_from,
            };
            rows.extend(item.price_at(at).map(|(_, price)| row(price, None)));
            let offered = |from: DateTime<Utc>| item.retired_from.is_none_or(|retired| from < retired);
            let to_come = item
                .prices
                .iter()
                .filter(|(from, _)| **from > at && offered(**from));
            rows.extend(to_come.map(|(from, price)| row(*price, Some(*from))));
        }
        rows
    }

    /// What a sheet changes: every row, or every row that cannot be.
    pub(super) fn import(&self, ask: &ImportSheet) -> Result<Vec<PriceListEvent>, PriceListError> {
        super::check_reason(&ask.reason)?;
        let mut list = self.clone();
        let mut events = Vec::new();
        let mut bad = Vec::new();
        for row in &ask.rows {
            match list.import_row(ask, row) {
                Ok(None) => {}
                Ok(Some(event)) => {
                    list.evolve(&event);
                    events.push(event);
                }
                Err(refused) => bad.push(BadRow {
                    line: row.line,
                    refused,
                }),
            }
        }
        if !bad.is_empty() {
            return Err(PriceListError::BadRows(bad));
        }
        if events.is_empty() {
            return Err(PriceListError::NothingChanges);
        }
        Ok(events)
    }

    /// A new item, another price of a known one, or nothing where it has that price then.
    fn import_row(
        &self,
        ask: &ImportSheet,
        row: &SheetRow,
    ) -> Result<Option<PriceListEvent>, PriceListError> {
        let from = row.effective_from.unwrap_or(ask.now);
        let added = ItemAdded {
            item: row.item.clone(),
            label: row.label.trim().to_owned(),
            kind: row.kind,
            price_cents: row.price_cents,
            min_cents: row.min_cents,
            max_cents: row.max_cents,
            effective_from: from,
        };
        let Some(known) = self.items.get(&row.item) else {
            return self.add(added, ask.now).map(Some);
        };
        let same = ItemAdded {
            price_cents: row.price_cents,
            effective_from: from,
            ..known.added.clone()
        };
        if same != added {
            return Err(PriceListError::ItemDiffers(row.item.clone()));
        }
        if known
            .price_at(from)
            .is_some_and(|(_, price)| price == row.price_cents)
        {
            return Ok(None);
        }
        self.change(
            row.item.clone(),
            row.price_cents,
            from,
            ask.reason.clone(),
            ask.confirmation,
            ask.now,
        )
        .map(Some)
    }
}
