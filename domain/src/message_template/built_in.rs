//! The wordings that come with the program.

use super::TemplateWords;
use crate::message::{MessageChannel, MessageKind};

/// The words of a kind that come with the program, in American English. They are short enough for a text message and written
/// in its alphabet.
pub fn built_in(kind: MessageKind, channel: MessageChannel) -> TemplateWords {
    let (subject, text) = match kind {
        MessageKind::ReviewRequest => (
            "How was your hibachi party?",
            "Hello {{customer_name}}, thank you for having us on {{event_date}}. How was it? It takes a minute to say: \
             {{review_link}}",
        ),
        MessageKind::ReviewReminder => (
            "How was your hibachi party?",
            "Hello {{customer_name}}, we would still like to know how your party on {{event_date}} was: {{review_link}}",
        ),
        MessageKind::BookingConfirmed => (
            "Your hibachi party is confirmed",
            "Hello {{customer_name}}, your deposit has come and your party on {{event_date}} at {{event_time}} for \
             {{guest_count}} guests is confirmed. Your booking is {{booking_id}}; {{balance_due}} of {{total_amount}} is \
             still to be paid.",
        ),
        MessageKind::DepositReminder => (
            "Your hibachi party waits for its deposit",
            "Hello {{customer_name}}, we hold {{event_date}} at {{event_time}} for you, but the deposit of \
             {{deposit_amount}} for booking {{booking_id}} has not come yet. Without it the date will be free for others \
             soon.",
        ),
        MessageKind::EventReminder => (
            "Your hibachi party is tomorrow",
            "Hello {{customer_name}}, we look forward to your party on {{event_date}} at {{event_time}} for \
             {{guest_count}} guests. Still to be paid: {{balance_due}}. Your booking is {{booking_id}}.",
        ),
        MessageKind::PriceChanged => (
            "Our prices change, your booking's does not",
            "Hello {{customer_name}}, our prices change. Your booking {{booking_id}} for {{event_date}} keeps its price of \
             {{total_amount}}.",
        ),
        MessageKind::RefundGiven => (
            "Your refund is on its way",
            "Hello {{customer_name}}, we have given {{refund_amount}} back for booking {{booking_id}}. It may take your \
             bank a few days to show it.",
        ),
        MessageKind::BookingCancelled => (
            "Your hibachi party is cancelled",
            "Hello {{customer_name}}, your booking {{booking_id}} for {{event_date}} at {{event_time}} is cancelled. If \
             money is to be given back, we will tell you when it is.",
        ),
    };
    let subject = match channel {
        MessageChannel::Email => Some(subject.to_owned()),
        MessageChannel::Sms | MessageChannel::Whatsapp => None,
    };
    TemplateWords {
        subject,
        text: text.to_owned(),
    }
}
