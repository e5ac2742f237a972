//! Pricing a party without booking it.

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::guests::Guests;
use domain::ids::StationId;
use domain::money::RatePpm;
use domain::place::{Place, Travel, ZipCode};
use domain::price_list::PriceList;
use domain::quote::{AddOn, Quote, QuoteRequest, food_and_service, quote};
use domain::schedule::EventTime;
use domain::station::{Station, StationError};

use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, Refused};

/// A party to price.
#[derive(Debug, Clone)]
pub struct QuoteInput {
    /// The station; the nearest where absent.
    pub station: Option<StationId>,
    /// ZIP of the venue.
    pub zip: String,
    /// Local start.
    pub start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// Extras.
    pub add_ons: Vec<AddOn>,
    /// A promo code.
    pub promo_code: Option<String>,
    /// E-mail of whoever asks, folded: whether a promo code is for them.
    pub customer_email: Option<String>,
}

/// What a party costs, and where.
#[derive(Debug, Clone)]
pub struct QuoteAnswer {
    /// The station that would serve it.
    pub station: StationId,
    /// The price.
    pub quote: Quote,
    /// What paying by card costs, as a share of price and tip.
    pub card_fee_ppm: RatePpm,
}

/// A station with its prices, as a quote or a request needs them.
pub(crate) struct Offer {
    pub(crate) id: StationId,
    pub(crate) station: Loaded<Station>,
    pub(crate) prices: Loaded<PriceList>,
    pub(crate) place: Place,
    pub(crate) travel: Travel,
}

impl Commands {
    /// What a party would cost now, with what a promo code takes off. Without an e-mail the code is taken to be used by
    /// somebody new.
    ///
    /// # Errors
    /// A refusal when the party, the place or the station cannot be, or the code cannot be used. An e-mail needs the
    /// right to see customers: the answer tells whether somebody is one.
    pub async fn quote(&self, caller: &Caller, input: QuoteInput) -> Result<QuoteAnswer, CommandError> {
        caller.require(Permission::PriceRead)?;
        let zip = parse_zip(&input.zip, &["zip"])?;
        let customer = match &input.customer_email {
            None => None,
            Some(email) => {
                caller.require(Permission::CustomerRead)?;
                self.find_by_email(caller, email).await?
            }
        };
        let promo = self
            .find_promo(caller, input.promo_code.as_deref(), customer)
            .await?;
        let offer = self.offer(caller, input.station, &zip, &["zip"]).await?;
        let zone = offer.station.state.opened().map(|opened| opened.zone);
        let zone = zone.ok_or_else(|| CommandError::refused(StationError::NotFound))?;
        let request = QuoteRequest {
            guests: input.guests,
            add_ons: input.add_ons,
            event_on: EventTime::resolve(input.start, zone).local.date(),
            travel: offer.travel,
            asked_at: self.ports.now(),
        };
        let quote = quote(&offer.prices.state, &request).map_err(|error| {
            let mut refused = Refused::from(error);
            // A question names the ZIP itself, a request that of its venue.
            if refused.field == ["venue", "zip"] {
                refused.field = vec!["zip"];
            }
            CommandError::Refused(refused)
        })?;
        let applied = promo
            .map(|found| {
                found
                    .asked
                    .check(offer.id, food_and_service(&quote.lines), request.asked_at)
            })
            .transpose()
            .map_err(CommandError::refused)?;
        Ok(QuoteAnswer {
            station: offer.id,
            quote: quote.with(applied.as_ref()),
            card_fee_ppm: offer.prices.state.policy().card_fee_ppm,
        })
    }

    /// The station that serves a ZIP with its prices, and the way there.
    pub(crate) async fn offer(
        &self,
        caller: &Caller,
        named: Option<StationId>,
        zip: &ZipCode,
        zip_field: &[&'static str],
    ) -> Result<Offer, CommandError> {
        let place = self
            .ports
            .places
            .find(zip)
            .ok_or_else(|| unknown_zip(zip, zip_field))?;
        let id = self.serving_station(caller, named, zip).await?;
        caller.reach(id, StationError::NotFound.into())?;
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        let home = station
            .state
            .opened()
            .ok_or_else(|| CommandError::refused(StationError::NotFound))?
            .zip
            .clone();
        let travel = self
            .ports
            .places
            .travel(&home, zip)
            .ok_or_else(|| unknown_zip(&home, &["stationId"]))?;
        let prices = self.load::<PriceList>(caller, &id.to_string()).await?;
        Ok(Offer {
            id,
            station,
            prices,
            place,
            travel,
        })
    }
}

/// Reads a ZIP code or refuses it.
pub(crate) fn parse_zip(text: &str, field: &[&'static str]) -> Result<ZipCode, CommandError> {
    text.trim().parse::<ZipCode>().map_err(|error| {
        CommandError::Refused(Refused {
            code: "INVALID_ZIP",
            field: field.to_vec(),
            message: error.to_string(),
        })
    })
}

pub(crate) fn unknown_zip(zip: &ZipCode, field: &[&'static str]) -> CommandError {
    CommandError::Refused(Refused {
        code: "UNKNOWN_ZIP",
        field: field.to_vec(),
        message: format!("there is no ZIP code {zip} in the United States"),
    })
}
