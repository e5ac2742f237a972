//! How many customers answer, what they say of whom, and what brought them to.

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use domain::ids::StationId;
use domain::money::RatePpm;
use projections::At;
use projections::review_list::{self, ReviewFigures, ReviewStats as Figures, StatsError, StatsFilter};

use super::ReviewMessage;
use crate::graphql::chef::Chef;
use crate::graphql::error::{coded, unread};
use crate::graphql::id::local;
use crate::graphql::loaders::Loaders;
use crate::graphql::read::{AsOf, Freshness, ReadInfo, at};
use crate::graphql::scalar::{Decimal, LocalDate};
use crate::graphql::session::{app, viewer};

/// Figures of the parties that a chef cooked for. Those of several chefs count for each of them.
#[derive(Description)]
pub(in crate::graphql) struct ChefReviewStats {
    chef: Chef,
    figures: ReviewFigures,
}

/// What one sort of message brought.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MessageReviewStats {
    /// Which message.
    message: ReviewMessage,
    /// Customers it was sent to; null for links of staff, of which a customer may have any number.
    sent: Option<i32>,
    /// Those who answered through its link.
    answered: i32,
}

/// Figures of the reviews of a period.
#[derive(Description)]
pub(in crate::graphql) struct ReviewStats {
    figures: Figures,
    info: projections::ReadInfo,
    at: At,
}

fn count(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn share(share: Option<RatePpm>) -> Decimal {
    share.unwrap_or(RatePpm(0)).into()
}

/// A mean rating with two decimals.
pub(in crate::graphql) fn stars(figures: &ReviewFigures) -> Option<Decimal> {
    let hundredths = figures.average_hundredths()?;
    Some(Decimal(format!("{}.{:02}", hundredths / 100, hundredths % 100)))
}

fn distribution(figures: &ReviewFigures) -> Vec<i32> {
    figures.distribution.iter().copied().map(count).collect()
}

#[Object(use_type_description)]
impl ChefReviewStats {
    /// Who.
    async fn chef(&self) -> Chef {
        self.chef.clone()
    }
    /// Customers who were asked.
    async fn issued(&self) -> i32 {
        count(self.figures.issued)
    }
    /// Those who answered.
    async fn submitted(&self) -> i32 {
        count(self.figures.submitted)
    }
    /// The mean rating with two decimals; null where nobody answered.
    async fn average(&self) -> Option<Decimal> {
        stars(&self.figures)
    }
    /// How many rated 1, 2, 3, 4 and 5.
    async fn distribution(&self) -> Vec<i32> {
        distribution(&self.figures)
    }
    /// Ratings for which a person was called.
    async fn escalated(&self) -> i32 {
        count(self.figures.escalated)
    }
}

#[Object(use_type_description)]
impl ReviewStats {
    /// Customers who were asked.
    async fn issued(&self) -> i32 {
        count(self.figures.total.issued)
    }
    /// Those who answered.
    async fn submitted(&self) -> i32 {
        count(self.figures.total.submitted)
    }
    /// The share of those who were asked that answered, `0.5` for half of them; `0` where nobody was asked.
    async fn response_rate(&self) -> Decimal {
        share(self.figures.total.response_rate())
    }
    /// The mean rating with two decimals, rounded half up; null where nobody answered.
    async fn average(&self) -> Option<Decimal> {
        stars(&self.figures.total)
    }
    /// How many rated 1, 2, 3, 4 and 5.
    async fn distribution(&self) -> Vec<i32> {
        distribution(&self.figures.total)
    }
    /// External sites that customers went on to.
    async fn external_clicks(&self) -> i32 {
        count(self.figures.total.clicks)
    }
    /// The share of those who answered that went on to an external site; `0` where nobody answered.
    async fn conversion_rate(&self) -> Decimal {
        share(self.figures.total.conversion())
    }
    /// Ratings of 1 and 2, for which a person was called.
    async fn escalated(&self) -> i32 {
        count(self.figures.total.escalated)
    }
    /// The share of those who answered for whom a person was called; `0` where nobody answered.
    async fn escalation_rate(&self) -> Decimal {
        share(self.figures.total.escalation_rate())
    }
    /// The mean time from the first question to the answer, in whole minutes; null where nobody answered.
    async fn mean_minutes_to_respond(&self) -> Option<i32> {
        self.figures.total.mean_minutes_to_respond().map(count)
    }
    /// By chef, of chefs within reach. Needs station:read.
    async fn by_chef(&self, ctx: &Context<'_>) -> Result<Vec<ChefReviewStats>> {
        let by_chef = &self.figures.by_chef;
        let ids: Vec<_> = by_chef.iter().map(|chef| chef.chef_id).collect();
        let at = self.at;
        let rows = ctx.data_unchecked::<Loaders>().chefs(&ids, at).await?;
        let stats = rows.into_iter().filter_map(|row| {
            let found = by_chef.iter().find(|chef| chef.chef_id == row.chef_id)?;
            Some(ChefReviewStats {
                figures: found.figures,
                chef: Chef { row, at },
            })
        });
        Ok(stats.collect())
    }
    /// By message, in the order in which they go out.
    async fn by_message(&self) -> Vec<MessageReviewStats> {
        let messages = self.figures.by_message.iter().filter_map(|message| {
            Some(MessageReviewStats {
                message: ReviewMessage::of(message.message)?,
                sent: message.sent.map(count),
                answered: count(message.answered),
            })
        });
        messages.collect()
    }
    /// What the figures are as of.
    async fn read_info(&self) -> ReadInfo {
        self.info.clone().into()
    }
}

/// What the figures cost at most.
const COST: usize = 200;

/// Questions about figures of reviews.
#[derive(Default)]
pub(in crate::graphql) struct ReviewStatsQuery;

#[Object]
impl ReviewStatsQuery {
    /// Figures of the reviews of parties within reach that were held on these local days. Each can be opened to the rows of
    /// `reviews`. A period of more than five years is refused with BAD_USER_INPUT. Needs review:read.
    #[graphql(complexity = "COST + child_complexity")]
    async fn review_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "First local day.")] from: LocalDate,
        #[graphql(desc = "Last local day, inclusive.")] to: LocalDate,
        #[graphql(desc = "Only of this station; of all within reach otherwise.")] station_id: Option<ID>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<ReviewStats> {
        let station_id = station_id
            .map(|id| local::<StationId>(&id).ok_or_else(|| coded("NOT_FOUND", "there is no such station")))
            .transpose()?;
        let filter = StatsFilter {
            station_id,
            from: from.0,
            to: to.0,
        };
        let at = at(ctx, as_of, fresh).await?;
        let found = review_list::stats(&app(ctx).views, viewer(ctx)?, filter, at).await;
        let found = found.map_err(|error| match error {
            StatsError::Read(error) => unread(error),
            StatsError::BadPeriod(_) => coded("BAD_USER_INPUT", error.to_string()),
        })?;
        Ok(ReviewStats {
            figures: found.value,
            info: found.info,
            at,
        })
    }
}
