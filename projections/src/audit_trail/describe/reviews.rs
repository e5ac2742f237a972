//! Reviews in plain sentences, without what customers wrote.

use domain::organisation::{ReviewRoutingSet, ReviewSettingsChanged};
use domain::promo_code::Discount;
use domain::review::{
    ExternalLink, Moderation, ReviewCouponGranted, ReviewEvent, ReviewLinkIssued, ReviewOpened,
    ReviewSettings, ReviewStatus, ReviewSubmitted, RoutingMode, SentAs, ShownLinks,
};

use super::super::description::{Description, Told, instant, percent};

pub(super) fn describe_review(event: &ReviewEvent) -> Description {
    match event {
        ReviewEvent::LinkIssued(issued) => describe_link(issued),
        ReviewEvent::Reminded(reminded) => Description::of(format!(
            "The customer reminded to review, reminder {}",
            reminded.number
        ))
        .set("reminders", reminded.number),
        ReviewEvent::Opened(opened) => describe_opening(opened),
        ReviewEvent::Submitted(submitted) => describe_submission(submitted),
        ReviewEvent::ExternalClicked(clicked) => Description::of(format!(
            "The customer went on from the review to {}",
            site(clicked.site.as_str())
        ))
        .set("external_site", clicked.site.as_str()),
        ReviewEvent::Expired(_) => Description::of("The review's link expired without an answer".to_owned())
            .set("status", status(ReviewStatus::Expired)),
        ReviewEvent::Cancelled(cancelled) => Description::of(format!(
            "The request for a review cancelled: {}",
            cancelled.because.as_str()
        ))
        .set("status", status(ReviewStatus::Cancelled)),
        ReviewEvent::Approved(approved) => Description::of("Review approved for publication".to_owned())
            .because(approved.reason.as_ref())
            .changed(
                "moderation",
                Some(moderation(approved.before)),
                moderation(Moderation::Approved),
            ),
        ReviewEvent::Rejected(rejected) => Description::of("Review kept from publication".to_owned())
            .because(Some(&rejected.reason))
            .changed(
                "moderation",
                Some(moderation(rejected.before)),
                moderation(Moderation::Rejected),
            ),
        ReviewEvent::Replied(_) => Description::of("The company replied to the review".to_owned()).redacted(),
        ReviewEvent::CouponGranted(granted) => describe_coupon(granted),
    }
}

fn describe_link(issued: &ReviewLinkIssued) -> Description {
    let how = match issued.sent_as {
        SentAs::Request => "asked for a review of",
        SentAs::ByStaff | SentAs::FirstReminder | SentAs::SecondReminder => "given another link to review",
    };
    Description::of(format!(
        "The customer {how} booking {}; the link is good until {}",
        issued.number,
        instant(issued.expires_at)
    ))
    .set("status", status(ReviewStatus::Pending))
    .set("expires_at", issued.expires_at)
}

fn describe_opening(opened: &ReviewOpened) -> Description {
    Description::of(format!(
        "The customer opened the review's link ({}); {}",
        opened.sent_as.as_str().replace('_', " "),
        shown(&opened.shown)
    ))
    .changed(
        "status",
        Some(status(ReviewStatus::Pending)),
        status(ReviewStatus::Opened),
    )
    .set("routing_mode", opened.shown.mode.as_str())
}

fn describe_submission(submitted: &ReviewSubmitted) -> Description {
    let media = match submitted.media.len() {
        0 => String::new(),
        1 => ", with 1 file".to_owned(),
        files => format!(", with {files} files"),
    };
    let said = Description::of(format!(
        "The customer rated booking {} {} of 5{media}; {}",
        submitted.number,
        submitted.rating.number(),
        shown(&submitted.shown)
    ))
    .set("status", status(ReviewStatus::Submitted))
    .set("rating", submitted.rating.number())
    .set("routing_mode", submitted.shown.mode.as_str());
    if submitted.text.is_some() || submitted.public_name.is_some() {
        said.redacted()
    } else {
        said
    }
}

fn describe_coupon(granted: &ReviewCouponGranted) -> Description {
    Description::of(format!(
        "An unhappy customer granted the promo code {}: {} off, until {}",
        granted.code,
        off(granted.discount),
        instant(granted.ends_at)
    ))
    .because(Some(&granted.reason))
    .set("coupon", granted.code.as_str())
}

pub(super) fn describe_routing(set: &ReviewRoutingSet) -> Description {
    let said = match (&set.acknowledgement, set.mode) {
        (Some(given), _) => format!(
            "External review sites are shown to happy customers only; version {} of the risk acknowledged until {}",
            given.version,
            instant(given.valid_until)
        ),
        (None, RoutingMode::Neutral | RoutingMode::RatingGated) => {
            "External review sites are shown to every customer alike".to_owned()
        }
    };
    let said = Description::of(said).changed(
        "reviews.routing_mode",
        Some(set.before.as_str()),
        set.mode.as_str(),
    );
    match &set.acknowledgement {
        Some(given) => said.set("reviews.risk_version", given.version.as_str()),
        None => said,
    }
}

pub(super) fn describe_settings(changed: &ReviewSettingsChanged) -> Description {
    let (before, after) = (&changed.before, &changed.settings);
    let mut said = Description::of("How reviews are asked for was changed".to_owned());
    if before.links != after.links {
        said = said.changed("reviews.links", Some(links(before)), links(after));
    }
    if before.page_url != after.page_url {
        let url = |settings: &ReviewSettings| settings.page_url.clone();
        said = match url(after) {
            Some(now) => said.changed("reviews.page_url", url(before), now),
            None => said.gone("reviews.page_url", url(before).unwrap_or_default()),
        };
    }
    if before.coupon != after.coupon {
        let coupon = |settings: &ReviewSettings| {
            format!(
                "{} off for {} days",
                off(settings.coupon.discount),
                settings.coupon.valid_days
            )
        };
        said = said.changed("reviews.coupon", Some(coupon(before)), coupon(after));
    }
    said
}

fn links(settings: &ReviewSettings) -> String {
    let one = |link: &ExternalLink| match link.station_id {
        Some(station) => format!("{} of station {station}: {}", link.site.as_str(), link.url),
        None => format!("{}: {}", link.site.as_str(), link.url),
    };
    let links: Vec<String> = settings.links.iter().map(one).collect();
    links.join("; ")
}

fn off(discount: Discount) -> String {
    match discount {
        Discount::Percent { rate_ppm } => percent(rate_ppm),
        Discount::Fixed { amount_cents } => amount_cents.to_string(),
    }
}

fn shown(shown: &ShownLinks) -> String {
    let sites: Vec<String> = shown.links.iter().map(|link| site(link.site.as_str())).collect();
    if sites.is_empty() {
        "no external site was shown".to_owned()
    } else {
        format!("shown: {}", sites.join(", "))
    }
}

fn site(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn status(status: ReviewStatus) -> Told {
    Told::status(status.as_str())
}

fn moderation(moderation: Moderation) -> Told {
    Told::status(moderation.as_str())
}
