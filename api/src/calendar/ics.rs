//! Bookings as iCalendar text (RFC 5545), without personal data: other programs keep what they fetch. It is what is to be
//! held or was, and no message that anybody answers (RFC 5546): a party that is called off is not in it any more.

use chrono::{DateTime, Utc};
use domain::booking::BookingStatus;
use projections::booking_list::BookingRow;

/// The longest line in octets, its end not counted (RFC 5545, 3.1).
const LINE: usize = 75;

/// A calendar of bookings.
pub(super) fn calendar(rows: &[BookingRow], now: DateTime<Utc>) -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//Hibachi//Calendar//EN");
    line(&mut text, "CALSCALE:GREGORIAN");
    for row in rows {
        event(&mut text, row, now);
    }
    line(&mut text, "END:VCALENDAR");
    text
}

/// The whole time that a chef is away; the guests' start is in the summary, by the station's clock.
fn event(text: &mut String, row: &BookingRow, now: DateTime<Utc>) {
    let status = match row.status {
        BookingStatus::Requested => "TENTATIVE",
        BookingStatus::Confirmed | BookingStatus::Completed => "CONFIRMED",
        BookingStatus::Cancelled | BookingStatus::Expired => return,
    };
    let guests = row.adults + row.children + row.under6;
    let summary = format!(
        "{} Hibachi for {guests}, {}",
        row.start_local.format("%H:%M"),
        row.number
    );
    let place = format!("{}, {} {}", row.city, row.state, row.zip);
    line(text, "BEGIN:VEVENT");
    line(text, &format!("UID:{}@hibachi", row.booking_id));
    line(text, &format!("DTSTAMP:{}", instant(now)));
    line(text, &format!("SEQUENCE:{}", row.version));
    line(text, &format!("DTSTART:{}", instant(row.blocked_from)));
    line(text, &format!("DTEND:{}", instant(row.blocked_until)));
    line(text, &format!("SUMMARY:{}", escaped(&summary)));
    line(text, &format!("LOCATION:{}", escaped(&place)));
    line(text, &format!("STATUS:{status}"));
    line(text, "END:VEVENT");
}

fn instant(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y%m%dT%H%M%SZ")
}

/// Text as a property's value (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Adds a line, folded where it is too long, between characters.
fn line(text: &mut String, content: &str) {
    let mut width = 0;
    for letter in content.chars() {
        if width + letter.len_utf8() > LINE {
            text.push_str("\r\n ");
            width = 1;
        }
        text.push(letter);
        width += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let mut text = String::new();
        line(&mut text, &"ß".repeat(100));
        assert!(text.ends_with("\r\n"));
        let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= LINE), "{lines:?}");
        assert!(lines[1..].iter().all(|line| line.starts_with(' ')));
        let unfolded = text.replace("\r\n ", "");
        assert_eq!(unfolded.trim_end(), "ß".repeat(100));
    }

    #[test]
    fn what_has_a_meaning_is_escaped_and_what_controls_is_left_out() {
        assert_eq!(escaped("a,b;c\\d\ne\r\u{7}"), "a\\,b\\;c\\\\d\\ne");
    }
}
