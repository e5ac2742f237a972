//! When a customer's data was erased, what they were asked is called off, and the pictures and videos that they sent are
//! destroyed: no key seals those.

use std::collections::BTreeSet;

use domain::customer::CustomerEvent;
use domain::ids::ReviewId;
use domain::recorded::{DomainEvent, Recorded};
use domain::review::ReviewEvent;
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply, ReviewStep};

/// Forgets reviewers.
pub struct WhenCustomerErased;

/// What a customer was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    reviews: BTreeSet<ReviewId>,
}

impl Policy for WhenCustomerErased {
    type State = Asked;
    const NAME: &'static str = "when_customer_erased";

    fn process(event: &Recorded) -> Option<String> {
        if let DomainEvent::Review(ReviewEvent::LinkIssued(issued)) = &event.event {
            return Some(issued.party.customer_id.to_string());
        }
        if let DomainEvent::Customer(CustomerEvent::Erased(_)) = &event.event {
            return Some(event.stream.id.clone());
        }
        None
    }

    fn react(state: Option<Asked>, event: &Recorded) -> Reaction<Asked> {
        let mut asked = state.unwrap_or_default();
        if let DomainEvent::Review(review) = &event.event {
            asked.reviews.insert(ReviewId::of(review.party().booking_id));
            return Reaction::keep(Some(asked));
        }
        let reviews: Vec<ReviewId> = asked.reviews.into_iter().collect();
        Reaction {
            state: None,
            wake_at: None,
            reply: (!reviews.is_empty()).then_some(Reply::Review(ReviewStep::Forget { reviews })),
        }
    }

    fn due(_process: &str, _state: Asked) -> Option<Reply> {
        None
    }
}
