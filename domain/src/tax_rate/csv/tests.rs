use proptest::prelude::*;

use super::*;

const FILE: &str = "state,county,city,rate,effective_from,effective_until,source\r\n\
    CA,Alameda,,0.1025,2021-07-01,,county\r\n\
    CA,Alameda,Hayward,0.1075,2021-07-01,,\"City, of Hayward\"\r\n";

fn bad(text: &str) -> Vec<(u64, &'static str)> {
    let rows = read(text).unwrap_err();
    rows.into_iter().map(|row| (row.line, row.code)).collect()
}

fn taken(text: &str) -> BTreeMap<String, CountyRates> {
    let mut counties = BTreeMap::new();
    for (key, rows) in by_county(read(text).unwrap()) {
        let mut county = CountyRates::default();
        for event in county.import(&rows, "file").unwrap() {
            county.evolve(&event);
        }
        counties.insert(key, county);
    }
    counties
}

#[test]
fn every_bad_row_is_named_by_its_line_and_reason() {
    let head = "state,county,city,rate,effective_from,effective_until,source\n";
    assert_eq!(
        bad(&format!(
            "{head}CA,Alameda,,0.1,2021-07-01,,x\nca,Alameda,,0.1,2021-07-01,,x\nCA,,,0.1,2021-07-01,,x\n\
             CA,A,,9.5,2021-07-01,,x\nCA,A,,0.1,July,,x\nCA,A,,0.1,2021-07-01,2020-01-01,x\nCA,A,,0.3,2021-07-01,,x\n\
             CA,A,0.1\n"
        )),
        [
            (3, "INVALID_STATE"),
            (4, "INVALID_NAME"),
            (5, "INVALID_RATE"),
            (6, "INVALID_DATE"),
            (7, "INVALID_PERIOD"),
            (8, "INVALID_RATE"),
            (9, "INVALID_CSV"),
        ]
    );
    assert_eq!(bad("county,state\nAlameda,CA\n"), [(1, "INVALID_CSV")]);
    assert_eq!(bad(""), [(1, "INVALID_CSV")]);
    assert_eq!(bad(head), [(1, "INVALID_CSV")]);
    let zips = format!("{},zips\nCA,A,,0.1,2021-07-01,,x,94501 9450\n", head.trim_end());
    assert_eq!(bad(&zips), [(2, "INVALID_ZIP")]);
}

#[test]
fn a_row_that_overlaps_another_names_its_line() {
    let twice = format!("{FILE}CA,ALAMEDA,,0.11,2021-07-01,,x\r\n");
    let counties = by_county(read(&twice).unwrap());
    let refused = CountyRates::default()
        .import(&counties["CA/alameda"], "file")
        .unwrap_err();
    assert_eq!((refused[0].line, refused[0].code), (4, "RATE_OVERLAPS"));
}

#[test]
fn a_file_that_is_taken_twice_changes_nothing_the_second_time() {
    let counties = taken(FILE);
    let alameda = &counties["CA/alameda"];
    let rows = by_county(read(FILE).unwrap());
    assert_eq!(alameda.import(&rows["CA/alameda"], "file"), Ok(Vec::new()));
}

#[test]
fn a_row_that_gives_an_open_rate_its_end_ends_it() {
    let counties = taken(FILE);
    let ended = FILE.replace("2021-07-01,,county", "2021-07-01,2026-03-31,county");
    let rows = by_county(read(&ended).unwrap());
    let events = counties["CA/alameda"]
        .import(&rows["CA/alameda"], "file")
        .unwrap();
    assert!(matches!(
        &events[..],
        [TaxRateEvent::Ended(ended), TaxRateEvent::Imported(_)] if ended.effective_until.to_string() == "2026-03-31"
    ));
}

#[test]
fn the_sample_can_be_read() {
    let sample = include_str!("../../../../api/data/tax_rates_sample.csv");
    assert_eq!(read(sample).unwrap().len(), 16);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        names in prop::collection::vec(("[A-Za-z=+@,\" -]{1,20}", prop::option::of("[A-Za-z, \"]{1,10}"), 0_i64..=250_000), 1..8),
    ) {
        let sets: Vec<TaxRateSet> = names
            .into_iter()
            .filter(|(county, city, _)| {
                !county.trim().is_empty() && city.as_ref().is_none_or(|city| !city.trim().is_empty())
            })
            .map(|(county, city, ppm)| TaxRateSet {
                jurisdiction: Jurisdiction {
                    state: "CA".to_owned(),
                    county: county.trim().to_owned(),
                    city: city.map(|city| city.trim().to_owned()),
                },
                rate_ppm: RatePpm(ppm),
                effective_from: "2021-07-01".parse().unwrap(),
                effective_until: None,
                source: "s".to_owned(),
                before_ppm: None,
                correction: None,
                zips: vec!["94501".parse().unwrap()],
            })
            .collect();
        prop_assume!(!sets.is_empty());
        let again: Vec<TaxRateSet> = read(&write(&sets)).unwrap().into_iter().map(|row| row.set).collect();
        prop_assert_eq!(again, sets);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = read(&text);
    }
}
