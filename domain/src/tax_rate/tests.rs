use super::*;
use crate::place::Place;
use crate::tax_rate::PlaceConfirmation;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rate(city: Option<&str>, ppm: i64, from: &str, until: Option<&str>) -> TaxRateCommand {
    TaxRateCommand::Set(TaxRateSet {
        jurisdiction: Jurisdiction {
            state: "CA".to_owned(),
            county: "Santa Clara".to_owned(),
            city: city.map(str::to_owned),
        },
        rate_ppm: RatePpm(ppm),
        effective_from: day(from),
        effective_until: until.map(day),
        source: "test".to_owned(),
        before_ppm: None,
        correction: None,
        zips: Vec::new(),
    })
}

fn county(commands: &[TaxRateCommand]) -> CountyRates {
    let mut county = CountyRates::default();
    for command in commands {
        for event in county.decide(command.clone()).unwrap() {
            county.evolve(&event);
        }
    }
    county
}

fn place(city: &str, counties: &[&str]) -> Place {
    Place {
        zip: "95112".parse().unwrap(),
        state: "CA".to_owned(),
        county: "Santa Clara".to_owned(),
        city: city.to_owned(),
        counties: counties.iter().map(|county| (*county).to_owned()).collect(),
    }
}

#[test]
fn a_rate_that_follows_another_tells_it() {
    let mut rates = county(&[rate(None, 91_250, "2021-07-01", None)]);
    let next = rate(None, 97_500, "2026-04-01", None);
    let before =
        |rates: &CountyRates, command: &TaxRateCommand| match rates.decide(command.clone()).unwrap().pop() {
            Some(TaxRateEvent::Set(set)) => set.before_ppm,
            other => panic!("{other:?}"),
        };
    assert_eq!(before(&rates, &next), Some(RatePpm(91_250)));
    for event in rates.decide(next).unwrap() {
        rates.evolve(&event);
    }
    let earlier = rate(None, 90_000, "2019-01-01", Some("2020-12-31"));
    assert_eq!(before(&rates, &earlier), None);
    let of_a_city = rate(Some("San Jose"), 93_750, "2021-07-01", None);
    assert_eq!(before(&rates, &of_a_city), None);
}

#[test]
fn a_new_rate_ends_the_open_one_the_day_before() {
    let county = county(&[
        rate(None, 91_250, "2021-07-01", None),
        rate(None, 97_500, "2026-04-01", None),
    ]);
    let ppm = |on| county.on(None, day(on)).map(|rate| rate.rate_ppm.0);
    assert_eq!(ppm("2021-06-30"), None);
    assert_eq!(ppm("2026-03-31"), Some(91_250));
    assert_eq!(ppm("2026-04-01"), Some(97_500));
}

#[test]
fn two_rates_on_one_day_are_refused() {
    let county = county(&[rate(None, 91_250, "2021-07-01", Some("2026-03-31"))]);
    let overlaps = Err(TaxRateError::Overlaps {
        from: day("2021-07-01"),
    });
    assert_eq!(county.decide(rate(None, 1, "2026-03-31", None)), overlaps);
    assert_eq!(county.decide(rate(None, 1, "2020-01-01", None)), overlaps);
    assert_eq!(county.decide(rate(None, 1, "2021-07-01", None)), overlaps);
    assert!(
        county
            .decide(rate(None, 1, "2020-01-01", Some("2021-06-30")))
            .is_ok()
    );
    assert!(
        county
            .decide(rate(Some("San Jose"), 1, "2021-07-01", None))
            .is_ok()
    );
}

#[test]
fn a_rate_that_cannot_be_is_refused() {
    let county = CountyRates::default();
    assert_eq!(
        county.decide(rate(None, 250_001, "2026-01-01", None)),
        Err(TaxRateError::BadRate)
    );
    assert_eq!(
        county.decide(rate(None, 1, "2026-01-02", Some("2026-01-01"))),
        Err(TaxRateError::EndsBeforeItBegins)
    );
    let TaxRateCommand::Set(mut set) = rate(None, 1, "2026-01-01", None);
    set.jurisdiction.county = " ".to_owned();
    assert_eq!(
        county.decide(TaxRateCommand::Set(set.clone())),
        Err(TaxRateError::BadName)
    );
    set.jurisdiction.state = "Ca".to_owned();
    assert_eq!(
        county.decide(TaxRateCommand::Set(set)),
        Err(TaxRateError::BadState)
    );
}

#[test]
fn a_venue_takes_its_citys_rate_else_the_countys_and_says_how_sure_that_is() {
    let rates = county(&[
        rate(None, 91_250, "2021-07-01", None),
        rate(Some("San Jose"), 93_750, "2021-07-01", None),
    ]);
    let on = day("2026-01-10");
    let seen = |place: &Place, city: &str| {
        let found = rates.resolve(place, city, on);
        (
            found.rate_ppm.map(|rate| rate.0),
            found.jurisdiction.city,
            found.method,
            found.confirmation,
        )
    };
    let sure = PlaceConfirmation::NotNeeded;
    let unsure = PlaceConfirmation::Needed;
    let one = ["Santa Clara"];
    assert_eq!(
        seen(&place("San Jose", &one), "san  jose"),
        (
            Some(93_750),
            Some("San Jose".to_owned()),
            PlaceMethod::CityZip,
            sure
        )
    );
    assert_eq!(
        seen(&place("Milpitas", &one), "Milpitas"),
        (Some(91_250), None, PlaceMethod::CityZip, sure)
    );
    assert_eq!(
        seen(&place("San Jose", &one), "Alum Rock"),
        (Some(91_250), None, PlaceMethod::ZipOnly, unsure)
    );
    // A city with a rate of its own that the ZIP does not confirm: somebody may have written the nearest large one.
    assert_eq!(
        seen(&place("Campbell", &one), "San Jose"),
        (
            Some(93_750),
            Some("San Jose".to_owned()),
            PlaceMethod::ZipOnly,
            unsure
        )
    );
    assert_eq!(
        seen(&place("San Jose", &["Santa Clara", "Alameda"]), "San Jose"),
        (
            Some(93_750),
            Some("San Jose".to_owned()),
            PlaceMethod::ZipOnly,
            unsure
        )
    );
    assert_eq!(
        CountyRates::default()
            .resolve(&place("Milpitas", &one), "Milpitas", on)
            .rate_ppm,
        None
    );
}

fn correction(command: TaxRateCommand, why: &str) -> TaxRateCommand {
    let TaxRateCommand::Set(set) = command;
    TaxRateCommand::Set(TaxRateSet {
        correction: Some(why.to_owned()),
        ..set
    })
}

#[test]
fn a_rate_that_was_typed_wrong_is_corrected_from_its_first_day_on_with_a_reason() {
    let wrong = county(&[
        rate(None, 91_500, "2021-07-01", None),
        rate(None, 97_500, "2026-04-01", None),
    ]);
    let right = rate(None, 91_250, "2021-07-01", None);
    assert_eq!(wrong.decide(right.clone()).unwrap_err().code(), "RATE_OVERLAPS");
    let refused = |command| wrong.decide(command).unwrap_err();
    assert_eq!(refused(correction(right.clone(), "x")).code(), "INVALID_REASON");
    let elsewhere = correction(rate(None, 91_250, "2021-07-02", None), "a typing error");
    assert_eq!(
        (refused(elsewhere.clone()).code(), refused(elsewhere).field()),
        ("RATE_NOT_FOUND", ["effectiveFrom"].as_slice())
    );
    let same = correction(rate(None, 91_500, "2021-07-01", None), "a typing error");
    assert_eq!(refused(same).code(), "UNCHANGED");
    let too_long = correction(
        rate(None, 91_250, "2021-07-01", Some("2026-04-01")),
        "a typing error",
    );
    assert_eq!(refused(too_long).code(), "RATE_OVERLAPS");
    let mut rates = wrong;
    let events = rates.decide(correction(right, "a typing error")).unwrap();
    let [TaxRateEvent::Set(set)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (set.before_ppm, set.effective_until),
        (Some(RatePpm(91_500)), Some(day("2026-03-31")))
    );
    rates.evolve(&events[0]);
    let ppm = |on| rates.on(None, day(on)).map(|rate| rate.rate_ppm.0);
    assert_eq!(
        (ppm("2021-07-01"), ppm("2026-03-31"), ppm("2026-04-01")),
        (Some(91_250), Some(91_250), Some(97_500))
    );
}
