//! How many leads there are, and what they come to.

use std::collections::BTreeMap;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use domain::ids::StationId;
use projections::lead_list::{self, LeadFigures, LeadStats as Figures, LeadStatsFilter};

use crate::graphql::error::{coded, refused_question, unread};
use crate::graphql::id::local;
use crate::graphql::read::{AsOf, Freshness, ReadInfo, at};
use crate::graphql::scalar::LocalDate;
use crate::graphql::session::{app, caller, viewer};

/// Leads by how far the staff is with them.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct LeadCounts {
    /// All of them.
    total: i32,
    /// Nobody has called yet.
    new: i32,
    /// Somebody has spoken to them.
    contacted: i32,
    /// They became bookings.
    won: i32,
    /// They were given up.
    lost: i32,
}

impl From<LeadFigures> for LeadCounts {
    fn from(figures: LeadFigures) -> Self {
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            total: count(figures.total()),
            new: count(figures.new),
            contacted: count(figures.contacted),
            won: count(figures.won),
            lost: count(figures.lost),
        }
    }
}

/// Leads that came from one place.
#[derive(SimpleObject)]
pub(in crate::graphql) struct LeadSourceCounts {
    /// Which; null where nobody said.
    source: Option<String>,
    /// How many.
    counts: LeadCounts,
}

/// Leads that failed alike.
#[derive(SimpleObject)]
pub(in crate::graphql) struct LeadFailureCounts {
    /// Code of why there was no booking.
    failure: String,
    /// How many.
    counts: LeadCounts,
}

/// The leads of a period.
#[derive(Description)]
pub(in crate::graphql) struct LeadStats {
    figures: Figures,
    info: projections::ReadInfo,
}

#[Object(use_type_description)]
impl LeadStats {
    /// All of them.
    async fn total(&self) -> LeadCounts {
        self.figures.total.into()
    }
    /// By where the customers came from, in the order of the alphabet.
    async fn sources(&self) -> Vec<LeadSourceCounts> {
        each(&self.figures.sources, |source, counts| LeadSourceCounts {
            source: Some(source).filter(|source| !source.is_empty()),
            counts,
        })
    }
    /// By why there was no booking, in the order of the alphabet.
    async fn failures(&self) -> Vec<LeadFailureCounts> {
        each(&self.figures.failures, |failure, counts| LeadFailureCounts {
            failure,
            counts,
        })
    }
    /// What the figures are as of.
    async fn read_info(&self) -> ReadInfo {
        self.info.clone().into()
    }
}

fn each<T>(of: &BTreeMap<String, LeadFigures>, make: impl Fn(String, LeadCounts) -> T) -> Vec<T> {
    of.iter()
        .map(|(name, figures)| make(name.clone(), (*figures).into()))
        .collect()
}

/// Questions about figures of leads.
#[derive(Default)]
pub(in crate::graphql) struct LeadStatsQuery;

/// What figures of leads cost.
const COST: usize = 200;

#[Object]
impl LeadStatsQuery {
    /// How many leads were captured on certain days of UTC, and how far the staff is with them now. A period that ends
    /// before it begins is empty. Needs lead:read.
    #[graphql(complexity = "COST + child_complexity")]
    async fn lead_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this station; of all within reach otherwise.")] station_id: Option<ID>,
        #[graphql(desc = "First day of UTC.")] from: LocalDate,
        #[graphql(desc = "Last day of UTC, inclusive.")] to: LocalDate,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<LeadStats> {
        let station_id = station_id
            .map(|id| local::<StationId>(&id).ok_or_else(|| coded("NOT_FOUND", "there is no such station")))
            .transpose()?;
        let filter = LeadStatsFilter {
            station_id,
            from: from.0,
            to: to.0,
        };
        let at = at(ctx, as_of, fresh).await?;
        let found = lead_list::stats(&app(ctx).views, viewer(ctx)?, filter, at).await;
        let found = found.map_err(unread)?;
        Ok(LeadStats {
            figures: found.value,
            info: found.info,
        })
    }
}

/// For how long personal data of leads is kept.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct LeadWindow {
    /// For how many months after the lead was captured.
    pub(super) months: i32,
}

/// Questions about for how long leads are kept.
#[derive(Default)]
pub(in crate::graphql) struct LeadWindowQuery;

#[Object]
impl LeadWindowQuery {
    /// For how long personal data of leads is kept. Needs lead:read.
    async fn lead_window(&self, ctx: &Context<'_>) -> Result<LeadWindow> {
        let months = app(ctx).commands.lead_window(&caller(ctx)?).await;
        let months = months.map_err(refused_question)?;
        Ok(LeadWindow {
            months: i32::try_from(months).unwrap_or(i32::MAX),
        })
    }
}
