//! Leads in plain sentences, without personal data.

use domain::lead::{LeadEvent, LeadStatus};
use domain::organisation::LeadWindowSet;

use super::super::description::{Description, Told, instant};
use super::minute;

pub(super) fn describe_lead(event: &LeadEvent) -> Description {
    let status = |status: LeadStatus| Told::status(status.as_str());
    let became =
        |said: Description, before, after| said.changed("status", Some(status(before)), status(after));
    match event {
        LeadEvent::Captured(lead) => Description::of(format!(
            "Lead captured for {} guests at {} on {}: {}",
            lead.guests.total(),
            lead.zip,
            minute(lead.wanted_start),
            lead.failure
        ))
        .set("status", status(LeadStatus::New))
        .set("failure", lead.failure.as_str())
        .redacted(),
        LeadEvent::Contacted(contacted) => {
            let said = Description::of("Somebody has spoken to the lead".to_owned());
            let said = became(said, contacted.before, LeadStatus::Contacted);
            if contacted.note.is_some() {
                said.redacted()
            } else {
                said
            }
        }
        LeadEvent::Won(won) => {
            let said = Description::of("The lead was won".to_owned());
            let said = became(said, won.before, LeadStatus::Won);
            match won.booking_id {
                Some(booking) => said.set("booking", booking.to_string()),
                None => said,
            }
        }
        LeadEvent::Lost(lost) => {
            let said = Description::of("The lead was given up".to_owned()).because(Some(&lost.reason));
            became(said, lost.before, LeadStatus::Lost)
        }
        LeadEvent::FollowUpSet(set) => Description::of(format!(
            "The lead is to be called at {}",
            instant(set.due_at)
        ))
        .changed("follow_up_at", set.before, set.due_at),
        LeadEvent::FollowUpDone(done) => Description::of(format!(
            "The lead was called as it was to be at {}",
            instant(done.due_at)
        ))
        .gone("follow_up_at", done.due_at),
        LeadEvent::Purged(purged) => Description::of(format!(
            "The lead's personal data erased, {} months after it was captured; {} keys destroyed",
            purged.months,
            purged.destroyed.len()
        ))
        .changed("erased", Some(false), true),
    }
}

pub(super) fn describe_window(set: &LeadWindowSet) -> Description {
    let months = |months: u32| i64::from(months);
    Description::of(format!(
        "Personal data of leads is kept for {} months",
        set.months
    ))
    .changed("lead_months", Some(months(set.before_months)), months(set.months))
}

#[cfg(test)]
mod tests {
    use domain::lead::{LeadContacted, LeadFollowUpSet, LeadLost};

    use super::*;
    use crate::testing::{STATION, at, sealed};

    #[test]
    fn the_work_on_a_lead_is_told_without_what_was_said() {
        let contacted = |note| {
            describe_lead(&LeadEvent::Contacted(LeadContacted {
                station_id: STATION,
                before: LeadStatus::New,
                note,
                contacted_at: at("2026-11-01T00:00:00Z"),
            }))
        };
        assert!(contacted(Some(sealed("note"))).redacted && !contacted(None).redacted);
        let lost = describe_lead(&LeadEvent::Lost(LeadLost {
            station_id: STATION,
            before: LeadStatus::Contacted,
            reason: "chose another caterer".to_owned(),
            lost_at: at("2026-11-02T00:00:00Z"),
        }));
        let change = &lost.changes[0];
        assert_eq!(
            (
                lost.reason.as_deref(),
                change.before.as_deref(),
                change.after.as_deref()
            ),
            (Some("chose another caterer"), Some("contacted"), Some("lost"))
        );
        let set = describe_lead(&LeadEvent::FollowUpSet(LeadFollowUpSet {
            station_id: STATION,
            before: None,
            due_at: at("2026-11-05T17:00:00Z"),
            set_at: at("2026-11-01T00:00:00Z"),
        }));
        assert_eq!(set.summary, "The lead is to be called at 2026-11-05T17:00:00Z");
    }
}
