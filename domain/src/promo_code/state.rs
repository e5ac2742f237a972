//! The promo code as its stream tells it, and how it decides.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Discount, PromoCodeChanged, PromoCodeCommand, PromoCodeCreated, PromoCodeEnded, PromoCodeError,
    PromoCodeEvent, PromoTerms, is_code,
};
use crate::decider::Decider;
use crate::money::Cents;

/// Stations that a code names at most.
const MAX_STATIONS: usize = 100;

/// A promo code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoCode {
    created: Option<PromoCodeCreated>,
    terms: Option<PromoTerms>,
    ended_at: Option<DateTime<Utc>>,
}

impl PromoCode {
    /// How it was made and what it grants, once it was made.
    pub fn standing(&self) -> Option<(&PromoCodeCreated, &PromoTerms)> {
        self.created.as_ref().zip(self.terms.as_ref())
    }

    /// When it was ended, if it was.
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at
    }

    fn open(&self) -> Result<&PromoTerms, PromoCodeError> {
        let (_, terms) = self.standing().ok_or(PromoCodeError::NotFound)?;
        match self.ended_at {
            Some(_) => Err(PromoCodeError::Ended),
            None => Ok(terms),
        }
    }

    fn create(
        &self,
        code: &str,
        terms: PromoTerms,
        now: DateTime<Utc>,
    ) -> Result<PromoCodeEvent, PromoCodeError> {
        if self.created.is_some() {
            return Err(PromoCodeError::Exists);
        }
        let code = code.trim();
        if !is_code(code) {
            return Err(PromoCodeError::BadText);
        }
        check_terms(&terms, now)?;
        Ok(PromoCodeEvent::Created(PromoCodeCreated {
            code: code.to_owned(),
            terms,
            created_at: now,
        }))
    }

    fn change(
        &self,
        terms: PromoTerms,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<PromoCodeEvent, PromoCodeError> {
        let before = self.open()?;
        check_reason(&reason)?;
        if terms == *before {
            return Err(PromoCodeError::Unchanged);
        }
        check_terms(&terms, now)?;
        Ok(PromoCodeEvent::Changed(PromoCodeChanged {
            before: before.clone(),
            terms,
            reason,
            changed_at: now,
        }))
    }
}

fn check_reason(reason: &str) -> Result<(), PromoCodeError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(PromoCodeError::BadReason)
    }
}

fn check_terms(terms: &PromoTerms, now: DateTime<Utc>) -> Result<(), PromoCodeError> {
    let granted = match terms.discount {
        Discount::Percent { rate_ppm } => (1..=1_000_000).contains(&rate_ppm.0),
        Discount::Fixed { amount_cents } => (Cents(1)..=Cents::MAX_INPUT).contains(&amount_cents),
    };
    if !granted {
        return Err(PromoCodeError::BadDiscount);
    }
    if terms
        .ends_at
        .is_some_and(|end| end <= terms.starts_at || end <= now)
    {
        return Err(PromoCodeError::BadWindow);
    }
    let limits = [terms.limit_total, terms.limit_per_customer];
    if limits.into_iter().flatten().any(|limit| limit < 1) {
        return Err(PromoCodeError::BadLimit);
    }
    if !(Cents::ZERO..=Cents::MAX_INPUT).contains(&terms.minimum_cents) {
        return Err(PromoCodeError::BadMinimum);
    }
    let different: BTreeSet<_> = terms.stations.iter().collect();
    if different.len() != terms.stations.len() || different.len() > MAX_STATIONS {
        return Err(PromoCodeError::BadStations);
    }
    Ok(())
}

impl Decider for PromoCode {
    const STREAM: &'static str = "promo_code";
    type Command = PromoCodeCommand;
    type Event = PromoCodeEvent;
    type Error = PromoCodeError;

    fn decide(&self, command: PromoCodeCommand) -> Result<Vec<PromoCodeEvent>, PromoCodeError> {
        let event = match command {
            PromoCodeCommand::Create { code, terms, now } => self.create(&code, terms, now)?,
            PromoCodeCommand::Change { terms, reason, now } => self.change(terms, reason, now)?,
            PromoCodeCommand::End { reason, now } => {
                self.open()?;
                check_reason(&reason)?;
                PromoCodeEvent::Ended(PromoCodeEnded {
                    reason,
                    ended_at: now,
                })
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &PromoCodeEvent) {
        match event {
            PromoCodeEvent::Created(created) => {
                self.terms = Some(created.terms.clone());
                self.created = Some(created.clone());
            }
            PromoCodeEvent::Changed(changed) => self.terms = Some(changed.terms.clone()),
            PromoCodeEvent::Ended(ended) => self.ended_at = Some(ended.ended_at),
        }
    }
}

#[cfg(test)]
mod tests;
