use super::*;

const STATION: StationId = StationId(uuid::Uuid::from_u128(5));

fn link(site: ExternalSite, url: &str) -> ExternalLink {
    ExternalLink {
        site,
        url: url.to_owned(),
        station_id: None,
    }
}

fn with(links: Vec<ExternalLink>) -> ReviewSettings {
    ReviewSettings {
        links,
        ..ReviewSettings::default()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn google() -> ReviewPractice {
    let practice = ReviewPractice::default();
    let settings = practice.change(with(vec![link(
        ExternalSite::Google,
        "https://g.page/r/ours/review",
    )]));
    ReviewPractice {
        settings: settings.unwrap(),
        ..practice
    }
}

#[test]
fn in_the_neutral_mode_everybody_sees_the_same_links() {
    let (practice, now) = (google(), at("2026-11-21T00:00:00Z"));
    let before = practice.shown(STATION, None, now);
    assert_eq!(before.links.len(), 1);
    for rating in 1..=5 {
        assert_eq!(practice.shown(STATION, Rating::new(rating), now), before);
    }
}

#[test]
fn gating_needs_the_risk_acknowledged_and_lapses_after_a_year() {
    let (mut practice, now) = (google(), at("2026-11-21T00:00:00Z"));
    let gated = RoutingMode::RatingGated;
    assert_eq!(
        practice.route(gated, None, now),
        Err(RoutingError::NotAcknowledged)
    );
    assert_eq!(
        practice.route(gated, Some("2020-01"), now),
        Err(RoutingError::NotAcknowledged)
    );
    practice.acknowledgement = practice.route(gated, Some(REVIEW_RISK_VERSION), now).unwrap();
    practice.mode = gated;
    let shown = |practice: &ReviewPractice, rating, now| {
        let shown = practice.shown(STATION, rating, now);
        (shown.mode, shown.links.len(), shown.risk_version.is_some())
    };
    assert_eq!(shown(&practice, None, now), (gated, 0, true));
    assert_eq!(shown(&practice, Rating::new(3), now), (gated, 0, true));
    assert_eq!(shown(&practice, Rating::new(4), now), (gated, 1, true));
    let a_year_later = at("2027-11-21T00:00:00Z");
    assert_eq!(
        shown(&practice, Rating::new(1), a_year_later),
        (RoutingMode::Neutral, 1, false)
    );
    assert!(
        practice
            .route(gated, Some(REVIEW_RISK_VERSION), a_year_later)
            .is_ok_and(|given| given.is_some())
    );
    assert_eq!(practice.route(RoutingMode::Neutral, None, now), Ok(None));
    assert_eq!(
        google().route(RoutingMode::Neutral, None, now),
        Err(RoutingError::Unchanged)
    );
}

#[test]
fn no_link_to_yelp_is_shown_to_the_happy_only() {
    let now = at("2026-11-21T00:00:00Z");
    let yelp = with(vec![link(ExternalSite::Yelp, "https://www.yelp.com/biz/ours")]);
    let gated = ReviewPractice {
        mode: RoutingMode::RatingGated,
        ..google()
    };
    assert_eq!(gated.change(yelp.clone()), Err(RoutingError::YelpGated));
    let neutral = ReviewPractice {
        settings: google().change(yelp).unwrap(),
        ..ReviewPractice::default()
    };
    assert_eq!(
        neutral.route(RoutingMode::RatingGated, Some(REVIEW_RISK_VERSION), now),
        Err(RoutingError::YelpGated)
    );
}

#[test]
fn a_station_has_its_own_link_or_the_companys() {
    let mut practice = google();
    practice.settings.links.push(ExternalLink {
        station_id: Some(STATION),
        ..link(ExternalSite::Google, "https://g.page/r/theirs/review")
    });
    let now = at("2026-11-21T00:00:00Z");
    let url = |station| practice.shown(station, None, now).links.remove(0).url;
    assert_eq!(url(STATION), "https://g.page/r/theirs/review");
    assert_eq!(
        url(StationId(uuid::Uuid::from_u128(6))),
        "https://g.page/r/ours/review"
    );
}

#[test]
fn an_address_is_one_of_its_site_and_nothing_else() {
    let change = |site, url: &str| ReviewPractice::default().change(with(vec![link(site, url)]));
    for url in [
        "http://g.page/r/ours",
        "https://g.page.evil.example/r",
        "https://evilg.page/r",
        "https://user@g.page/r",
        "https://g.page:8443/r",
        "https://www.yelp.com/biz/ours",
        "javascript:alert(1)",
        "https://g.page/\"><script>",
        "https://g.page/\u{430}",
        "",
    ] {
        assert_eq!(
            change(ExternalSite::Google, url),
            Err(RoutingError::BadUrl),
            "{url}"
        );
    }
    assert!(
        change(
            ExternalSite::Google,
            "https://search.google.com/local/writereview?placeid=x"
        )
        .is_ok()
    );
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let practice = google();
    let change = |settings| practice.change(settings).unwrap_err();
    assert_eq!(change(practice.settings.clone()), RoutingError::Unchanged);
    let twice = [practice.settings.links.clone(), practice.settings.links.clone()].concat();
    assert_eq!(change(with(twice)), RoutingError::BadLinks);
    let page = |url: &str| ReviewSettings {
        page_url: Some(url.to_owned()),
        ..ReviewSettings::default()
    };
    assert_eq!(change(page("http://ours.example")), RoutingError::BadPage);
    assert_eq!(change(page("https://ours.example/?a")), RoutingError::BadPage);
    let ours = practice.change(page("https://ours.example/review/")).unwrap();
    assert_eq!(ours.page_url.as_deref(), Some("https://ours.example/review"));
    let coupon = |rate, valid_days| ReviewSettings {
        coupon: CouponTerms {
            discount: Discount::Percent {
                rate_ppm: RatePpm(rate),
            },
            valid_days,
        },
        ..ReviewSettings::default()
    };
    assert_eq!(change(coupon(0, 30)), RoutingError::BadDiscount);
    assert_eq!(change(coupon(100_000, 0)), RoutingError::BadDays);
}
