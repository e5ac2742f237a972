//! US ZIP codes with county, city and position. Postal code data (c) GeoNames, <https://www.geonames.org>,
//! CC BY 4.0; modified: see `commands/data/LICENCE-zip-data.txt`.

use std::cmp::Ordering;

use csv::{ReaderBuilder, StringRecord};
use domain::place::{Place, Travel, ZipCode};

use crate::ports::Places;

const ZIPS: &str = include_str!("../../data/us_zip_county.csv");
const SEVERAL_COUNTIES: &str = include_str!("../../data/zip_multi_county.csv");

/// Every US ZIP code, from data that is compiled in: looked up where it stands, so that nothing is read before and nothing held.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZipDirectory;

struct Entry {
    place: Place,
    latitude: f64,
    longitude: f64,
}

impl ZipDirectory {
    /// The entry of a ZIP code.
    ///
    /// # Panics
    /// When the compiled-in data is broken, which a test rules out.
    fn entry(zip: &ZipCode) -> Option<Entry> {
        Some(entry(&row(ZIPS, zip)?))
    }
}

/// The row of a ZIP code in a file that begins with a line of headings, and whose rows begin with their ZIP codes, in their order.
fn row(file: &str, zip: &ZipCode) -> Option<StringRecord> {
    let (_, mut rows) = file.split_once('\n').expect("a bundled file has headings");
    while !rows.is_empty() {
        let middle = rows.floor_char_boundary(rows.len() / 2);
        let begins = rows[..middle].rfind('\n').map_or(0, |end| end + 1);
        let ends = rows[begins..]
            .find('\n')
            .map_or(rows.len(), |end| begins + end + 1);
        let line = &rows[begins..ends];
        match line[..zip.as_str().len()].cmp(zip.as_str()) {
            Ordering::Less => rows = &rows[ends..],
            Ordering::Greater => rows = &rows[..begins],
            Ordering::Equal => return Some(cells(line)),
        }
    }
    None
}

fn cells(line: &str) -> StringRecord {
    let mut row = StringRecord::new();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .from_reader(line.as_bytes());
    reader.read_record(&mut row).expect("the bundled files are CSV");
    row
}

fn entry(row: &StringRecord) -> Entry {
    let zip: ZipCode = row[0].parse().expect("the bundled ZIP file holds ZIP codes");
    let several = self::row(SEVERAL_COUNTIES, &zip);
    let degrees = |text: &str| {
        text.parse()
            .expect("the bundled ZIP file holds positions in degrees")
    };
    Entry {
        place: Place {
            zip,
            state: row[1].to_owned(),
            county: row[2].to_owned(),
            city: row[3].to_owned(),
            counties: several.map_or_else(
                || vec![row[2].to_owned()],
                |several| several[2].split('|').map(str::to_owned).collect(),
            ),
        },
        latitude: degrees(&row[4]),
        longitude: degrees(&row[5]),
    }
}

impl Places for ZipDirectory {
    fn find(&self, zip: &ZipCode) -> Option<Place> {
        Self::entry(zip).map(|entry| entry.place)
    }

    fn travel(&self, from: &ZipCode, to: &ZipCode) -> Option<Travel> {
        let (from, to) = (Self::entry(from)?, Self::entry(to)?);
        let tenths_of_mile = tenths_of_mile(&from, &to);
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
    use std::collections::BTreeSet;

    use super::*;

    fn zip(text: &str) -> ZipCode {
        text.parse().unwrap()
    }

    #[test]
    fn every_row_is_found_by_its_zip_and_every_california_county_is_there() {
        let (mut zips, mut counties) = (0, BTreeSet::new());
        let (_, rows) = ZIPS.split_once('\n').unwrap();
        for line in rows.lines() {
            let found = ZipDirectory::entry(&zip(&line[..5])).unwrap();
            assert!(line.starts_with(&format!("{},{},", found.place.zip.as_str(), found.place.state)));
            assert!(!found.place.counties.is_empty(), "{line}");
            if found.place.state == "CA" {
                counties.insert(found.place.county);
            }
            zips += 1;
        }
        assert_eq!((zips, counties.len()), (40_977, 58));
        let (_, several) = SEVERAL_COUNTIES.split_once('\n').unwrap();
        for line in several.lines() {
            let row = row(SEVERAL_COUNTIES, &zip(&line[..5])).unwrap();
            assert!(line.contains(&row[2]) && row[2].contains('|'), "{line}");
        }
    }

    #[test]
    fn a_zip_says_its_county_and_whether_it_touches_others() {
        let directory = ZipDirectory;
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
        let directory = ZipDirectory;
        let travel = |from, to| directory.travel(&zip(from), &zip(to)).unwrap();
        assert_eq!(travel("95112", "95112").tenths_of_mile, 0);
        let far = travel("95112", "95814");
        assert!((850..950).contains(&far.tenths_of_mile), "{far:?}");
        assert_eq!(far.minutes, (far.tenths_of_mile * 15 + 99) / 100);
    }
}
