//! The work queue in plain sentences.

use domain::work_item::WorkItemEvent;

use super::super::description::{Description, Told};

pub(super) fn describe_work(event: &WorkItemEvent) -> Description {
    match event {
        WorkItemEvent::Opened(opened) => {
            let about = opened
                .booking_number
                .as_deref()
                .map(|number| format!(" about booking {number}"));
            let said = Description::of(format!(
                "Work item{} opened ({}): {}",
                about.unwrap_or_default(),
                opened.kind.as_str().replace('_', " "),
                opened.detail
            ))
            .set("status", Told::status("open"));
            match opened.amount_cents {
                Some(amount) => said.set("amount", amount),
                None => said,
            }
        }
        WorkItemEvent::Resolved(resolved) => Description::of("Work item resolved".to_owned())
            .because(Some(&resolved.note))
            .changed("status", Some(Told::status("open")), Told::status("resolved")),
        WorkItemEvent::Settled(settled) => Description::of(format!("Work item settled: {}", settled.because))
            .changed("status", Some(Told::status("open")), Told::status("settled")),
    }
}
