//! US ZIP codes with county, city and position. Postal code data (c) GeoNames, <https://www.geonames.org>,
//! CC BY 4.0; modified: see `commands/data/LICENCE-zip-data.txt`.

use std::collections::HashMap;

use domain::place::{Place, Travel, ZipCode};

use crate::ports::Places;

const ZIPS: &[u8] = include_bytes!("../../data/us_zip_county.csv");
const SEVERAL_COUNTIES: &[u8] = include_bytes!("../../data/zip_multi_county.csv");

/// Every US ZIP code, from data that is compiled in.
pub struct ZipDirectory {
    entries: HashMap<ZipCode, Entry>,
}

struct Entry {
    place: Place,
    latitude: f64,
    longitude: f64,
}

impl ZipDirectory {
    /// Reads the compiled-in data; about 20 ms.
    ///
    /// # Panics
    /// When the compiled-in data is broken, which a test rules out.
    pub fn bundled() -> Self {
        let several = several_counties();
        let mut reader = csv::Reader::from_reader(ZIPS);
        let mut entries = HashMap::with_capacity(41_000);
        for row in reader.records() {
            let row = row.expect("the bundled ZIP file is CSV");
            let zip: ZipCode = row[0].parse().expect("the bundled ZIP file holds ZIP codes");
            let counties = several
                .get(&zip)
                .cloned()
                .unwrap_or_else(|| vec![row[2].to_owned()]);
            let degrees = |text: &str| {
                text.parse()
                    .expect("the bundled ZIP file holds positions in degrees")
            };
            let place = Place {
                zip: zip.clone(),
                state: row[1].to_owned(),
                county: row[2].to_owned(),
                city: row[3].to_owned(),
                counties,
            };
            entries.insert(
                zip,
                Entry {
                    place,
                    latitude: degrees(&row[4]),
                    longitude: degrees(&row[5]),
                },
            );
        }
        Self { entries }
    }
}

fn several_counties() -> HashMap<ZipCode, Vec<String>> {
    let mut reader = csv::Reader::from_reader(SEVERAL_COUNTIES);
    let rows = reader
        .records()
        .map(|row| row.expect("the bundled county file is CSV"));
    rows.map(|row| {
        let zip = row[0].parse().expect("the bundled county file holds ZIP codes");
        (zip, row[2].split('|').map(str::to_owned).collect())
    })
    .collect()
}

impl Places for ZipDirectory {
    fn find(&self, zip: &ZipCode) -> Option<Place> {
        self.entries.get(zip).map(|entry| entry.place.clone())
    }

    fn travel(&self, from: &ZipCode, to: &ZipCode) -> Option<Travel> {
        let (from, to) = (self.entries.get(from)?, self.entries.get(to)?);
        let tenths_of_mile = tenths_of_mile(from, to);
        // A van averages 40 miles an hour door to door, so a tenth of a mile takes 0.15 minutes.
        let minutes = (tenths_of_mile * 15 + 99) / 100;
        Some(Travel {
            tenths_of_mile,
            minutes,
            source: "zip_distance".to_owned(),
        })
    }
}

/// Great-circle distance of two ZIPs' centres (haversine), which becomes a whole number of tenths of a mile
/// here, before anything is priced by it.
#[expect(
    clippy::float_arithmetic,
    reason = "geometry on a sphere; the result leaves as an integer"
)]
#[expect(
    clippy::as_conversions,
    reason = "a distance on Earth in tenths of a mile is far inside i64"
)]
fn tenths_of_mile(from: &Entry, to: &Entry) -> i64 {
    const EARTH_RADIUS_MILES: f64 = 3_958.8;
    let half_chord = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let h = half_chord(from.latitude, to.latitude)
        + from.latitude.to_radians().cos()
            * to.latitude.to_radians().cos()
            * half_chord(from.longitude, to.longitude);
    (20.0 * EARTH_RADIUS_MILES * h.sqrt().min(1.0).asin()).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(text: &str) -> ZipCode {
        text.parse().unwrap()
    }

    #[test]
    fn every_california_county_is_there() {
        let directory = ZipDirectory::bundled();
        let mut counties: Vec<&str> = directory
            .entries
            .values()
            .filter(|entry| entry.place.state == "CA")
            .map(|entry| entry.place.county.as_str())
            .collect();
        counties.sort_unstable();
        counties.dedup();
        assert_eq!((directory.entries.len(), counties.len()), (40_977, 58));
    }

    #[test]
    fn a_zip_says_its_county_and_whether_it_touches_others() {
        let directory = ZipDirectory::bundled();
        let san_jose = directory.find(&zip("95112")).unwrap();
        assert_eq!(
            (san_jose.county.as_str(), san_jose.city.as_str()),
            ("Santa Clara", "San Jose")
        );
        assert_eq!(san_jose.counties, ["Santa Clara"]);
        assert_eq!(directory.find(&zip("00000")), None);
    }

    #[test]
    fn the_way_is_measured_in_tenths_of_a_mile() {
        let directory = ZipDirectory::bundled();
        let travel = |from, to| directory.travel(&zip(from), &zip(to)).unwrap();
        assert_eq!(travel("95112", "95112").tenths_of_mile, 0);
        let far = travel("95112", "95814");
        assert!((850..950).contains(&far.tenths_of_mile), "{far:?}");
        assert_eq!(far.minutes, (far.tenths_of_mile * 15 + 99) / 100);
    }
}
