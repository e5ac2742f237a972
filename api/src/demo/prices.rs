//! What the demo company charges, and what it gives away.

use anyhow::Result;
use chrono::{DateTime, Utc};
use commands::price_list::PriceChangeInput;
use commands::promo_code::{PromoCodeCreate, PromoGrant};
use commands::{Caller, Commands};
use domain::ids::StationId;
use domain::money::{Cents, RatePpm};
use domain::price_list::{
    BelowMinimum, BookingPolicy, Confirmation, ItemAdded, ItemKind, MandatoryGratuity, MinimumSet,
    PriceListCommand, TravelBandSet,
};
use domain::promo_code::{Discount, PromoAudience};

use super::company::key;

/// When it was settled that adults become dearer: 1 December 2024.
pub(super) const RAISED_AT: DateTime<Utc> = DateTime::from_timestamp(1_733_040_000, 0).expect("an instant");
/// From when they are: midnight in California at the beginning of 2025.
const DEARER_FROM: DateTime<Utc> = DateTime::from_timestamp(1_735_718_400, 0).expect("an instant");

/// What a station charges from its first day on.
pub(super) async fn list(
    commands: &Commands,
    caller: &Caller,
    station: StationId,
    from: DateTime<Utc>,
) -> Result<()> {
    let item = |item: &str, label: &str, kind, price: i64| PriceListCommand::AddItem {
        added: ItemAdded {
            item: item.to_owned(),
            label: label.to_owned(),
            kind,
            price_cents: Cents(price),
            min_cents: Cents(price / 2),
            max_cents: Cents(price * 3),
            effective_from: from,
        },
        now: from,
    };
    let gratuity = MandatoryGratuity {
        from_guests: 40,
        rate_ppm: RatePpm(180_000),
    };
    let set = [
        item("adult", "Adult", ItemKind::Adult, 5_795),
        item("child", "Child, 6 to 12", ItemKind::Child, 2_995),
        item("sauce", "Extra sauce set", ItemKind::AddOn, 599),
        item("noodles", "Noodle tray", ItemKind::AddOn, 2_500),
        item("filet", "Filet mignon upgrade", ItemKind::AddOn, 700),
        item("lobster", "Lobster tail", ItemKind::AddOn, 1_500),
        PriceListCommand::SetTravelBand(TravelBandSet {
            free_miles: 25,
            per_mile_cents: Cents(200),
            max_miles: 100,
            before: None,
        }),
        PriceListCommand::SetMinimum(MinimumSet {
            weekday_cents: Cents(50_000),
            weekend_cents: Cents(60_000),
            below: BelowMinimum::TopUp,
            before: None,
        }),
        PriceListCommand::SetPolicy(BookingPolicy {
            gratuity: Some(gratuity),
            ..BookingPolicy::default()
        }),
    ];
    for (number, command) in set.into_iter().enumerate() {
        commands
            .set_prices(
                caller.clone(),
                key(&format!("price {station} {number}")),
                station,
                command,
            )
            .await?;
    }
    Ok(())
}

/// Adults become dearer with the new year.
pub(super) async fn raise(commands: &Commands, caller: &Caller, station: StationId) -> Result<()> {
    let change = PriceChangeInput {
        station,
        item: "adult".to_owned(),
        price_cents: Cents(5_995),
        effective_from: Some(DEARER_FROM),
        reason: "beef and shrimp cost more".to_owned(),
        confirmation: Confirmation::NotGiven,
        seen: None,
    };
    commands
        .change_price(caller.clone(), key(&format!("raise {station}")), change)
        .await?;
    Ok(())
}

/// Codes for those who come for the first time, in summer, and again.
pub(super) async fn promo_codes(commands: &Commands, caller: &Caller) -> Result<()> {
    let percent = |ppm| Discount::Percent {
        rate_ppm: RatePpm(ppm),
    };
    let fixed = |cents| Discount::Fixed {
        amount_cents: Cents(cents),
    };
    let everybody = PromoAudience::Everybody;
    for (code, discount, audience, limit_per_customer) in [
        ("WELCOME10", percent(100_000), PromoAudience::NewCustomers, None),
        ("SUMMER25", fixed(2_500), everybody, None),
        ("AGAIN50", fixed(5_000), everybody, Some(1)),
    ] {
        let ask = PromoCodeCreate {
            code: code.to_owned(),
            terms: PromoGrant {
                discount,
                starts_at: None,
                ends_at: None,
                minimum_cents: Cents(40_000),
                limit_total: None,
                limit_per_customer,
                audience,
                stations: Vec::new(),
            },
        };
        commands.create_promo_code(caller.clone(), key(code), ask).await?;
    }
    Ok(())
}
