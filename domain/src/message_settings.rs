//! How a company writes to its customers: in which language, and at which hours it does not.

use chrono::{DateTime, Days, LocalResult, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::decider::Refusal;
use crate::locale::Locale;
use crate::message::MessageChannel;
use crate::schedule::EventTime;

/// Hours of the day in which no telephone rings, `[from, until)` by the clock of the station; over midnight where they end
/// earlier in the day than they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First minute of quiet.
    pub from: NaiveTime,
    /// First minute after it.
    pub until: NaiveTime,
}

impl Default for QuietHours {
    /// From 21:00 to 08:00: when nobody may be called who has not asked for it (47 CFR 64.1200(c)(1)).
    fn default() -> Self {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a whole hour of a day");
        Self {
            from: hour(21),
            until: hour(8),
        }
    }
}

impl QuietHours {
    fn hold(self, time: NaiveTime) -> bool {
        if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }

    /// When something may ring that is due at an instant: then, or when the quiet hours that it falls into end. An end that
    /// the clock skips is as much later as the clock was moved; of one that comes twice it is the first that is still to
    /// come.
    pub fn release(self, at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let there = at.with_timezone(&zone).naive_local();
        if !self.hold(there.time()) {
            return at;
        }
        let today = there.date();
        let day = if there.time() < self.until {
            today
        } else {
            today.checked_add_days(Days::new(1)).unwrap_or(today)
        };
        let end = day.and_time(self.until);
        match zone.from_local_datetime(&end) {
            LocalResult::Single(end) => end.with_timezone(&Utc),
            LocalResult::Ambiguous(first, second) => {
                let first = first.with_timezone(&Utc);
                if first > at {
                    first
                } else {
                    second.with_timezone(&Utc)
                }
            }
            LocalResult::None => EventTime::resolve(end, zone).utc,
        }
    }
}

/// How a company writes to its customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSettings {
    /// The language of customers who have not said theirs.
    #[serde(default)]
    pub locale: Locale,
    /// When no text message goes out, by whatever service.
    #[serde(default)]
    pub quiet: QuietHours,
    /// Where customers pay: what the address of a booking's payment begins with, its number after it. None where they are
    /// told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_page: Option<String>,
}

impl MessageSettings {
    /// When a message that is due may go out by a channel. Mail makes no noise.
    pub fn release(&self, channel: MessageChannel, at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match channel {
            MessageChannel::Email => at,
            MessageChannel::Sms | MessageChannel::Whatsapp => self.quiet.release(at, zone),
        }
    }

    /// Where a booking is paid for.
    pub fn payment_link(&self, number: &str) -> Option<String> {
        self.payment_page.as_ref().map(|page| format!("{page}{number}"))
    }

    /// The settings, where a company can write so.
    ///
    /// # Errors
    /// [`MessageSettingsError`].
    pub fn check(self) -> Result<Self, MessageSettingsError> {
        if self.quiet.from == self.quiet.until {
            return Err(MessageSettingsError::NeverQuiet);
        }
        let is_page = |page: &String| {
            let odd = |c: char| c.is_whitespace() || c.is_control();
            page.starts_with("https://") && page.chars().count() <= 500 && !page.contains(odd)
        };
        if !self.payment_page.as_ref().is_none_or(is_page) {
            return Err(MessageSettingsError::BadPage);
        }
        Ok(self)
    }
}

/// Why a company cannot write so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageSettingsError {
    /// They end when they begin.
    #[error("quiet hours begin and end at different times of the day")]
    NeverQuiet,
    /// It is no address.
    #[error("a page is an https address of at most 500 characters")]
    BadPage,
    /// It does so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
}

impl Refusal for MessageSettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::NeverQuiet => "INVALID_QUIET_HOURS",
            Self::BadPage => "INVALID_URL",
            Self::Unchanged => "UNCHANGED",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NeverQuiet => &["quietUntil"],
            Self::BadPage => &["paymentPage"],
            Self::Unchanged => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use chrono_tz::America::{Los_Angeles, New_York};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn quiet(from: &str, until: &str) -> QuietHours {
        QuietHours {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        }
    }

    #[test]
    fn what_is_due_at_night_waits_for_the_morning_there() {
        let usual = QuietHours::default();
        let released = |text| usual.release(at(text), Los_Angeles).to_rfc3339();
        assert_eq!(released("2026-07-02T03:59:59Z"), "2026-07-02T03:59:59+00:00");
        assert_eq!(released("2026-07-02T04:00:00Z"), "2026-07-02T15:00:00+00:00");
        assert_eq!(released("2026-07-02T14:59:59Z"), "2026-07-02T15:00:00+00:00");
        assert_eq!(released("2026-07-02T15:00:00Z"), "2026-07-02T15:00:00+00:00");
        let east = usual.release(at("2026-07-02T12:30:00Z"), New_York);
        assert_eq!(east, at("2026-07-02T12:30:00Z"));
        let siesta = quiet("13:00", "15:00");
        let noon = siesta.release(at("2026-07-02T20:00:00Z"), Los_Angeles);
        assert_eq!(noon, at("2026-07-02T22:00:00Z"));
    }

    #[test]
    fn the_night_that_is_an_hour_shorter_or_longer_ends_by_the_clock() {
        let usual = QuietHours::default();
        // The clock goes forward on March 8 and back on November 1.
        let spring = usual.release(at("2026-03-08T06:00:00Z"), Los_Angeles);
        assert_eq!(spring, at("2026-03-08T15:00:00Z"));
        let autumn = usual.release(at("2026-11-01T05:00:00Z"), Los_Angeles);
        assert_eq!(autumn, at("2026-11-01T16:00:00Z"));
        let skipped = quiet("22:00", "02:30").release(at("2026-03-08T06:30:00Z"), Los_Angeles);
        assert_eq!(skipped, at("2026-03-08T10:30:00Z"));
        let twice = quiet("22:00", "01:30");
        let first = twice.release(at("2026-11-01T06:00:00Z"), Los_Angeles);
        assert_eq!(first, at("2026-11-01T08:30:00Z"));
        let second = twice.release(at("2026-11-01T09:10:00Z"), Los_Angeles);
        assert_eq!(second, at("2026-11-01T09:30:00Z"));
    }

    #[test]
    fn nothing_is_released_before_it_is_due_nor_into_the_quiet() {
        let every = [
            QuietHours::default(),
            quiet("22:00", "02:30"),
            quiet("00:00", "01:30"),
        ];
        for hours in every {
            for day in [
                "2026-03-07T20:00:00Z",
                "2026-10-31T20:00:00Z",
                "2026-07-01T20:00:00Z",
            ] {
                for minutes in (0..48 * 60).step_by(10) {
                    let due = at(day) + TimeDelta::minutes(minutes);
                    let out = hours.release(due, Los_Angeles);
                    assert!(
                        out >= due && out < due + TimeDelta::hours(13),
                        "{hours:?} {due} {out}"
                    );
                    assert!(
                        !hours.hold(out.with_timezone(&Los_Angeles).time()),
                        "{hours:?} {due} {out}"
                    );
                }
            }
        }
    }

    #[test]
    fn mail_makes_no_noise() {
        let night = at("2026-07-02T06:00:00Z");
        let settings = MessageSettings::default();
        let released = |channel| settings.release(channel, night, Los_Angeles);
        assert_eq!(released(MessageChannel::Email), night);
        assert_eq!(released(MessageChannel::Sms), at("2026-07-02T15:00:00Z"));
        assert_eq!(released(MessageChannel::Whatsapp), at("2026-07-02T15:00:00Z"));
    }

    #[test]
    fn settings_have_some_quiet_and_a_page_that_is_one() {
        let with = |page: &str| MessageSettings {
            payment_page: Some(page.to_owned()),
            ..MessageSettings::default()
        };
        let never = MessageSettings {
            quiet: quiet("08:00", "08:00"),
            ..MessageSettings::default()
        };
        let never = never.check().unwrap_err();
        assert_eq!(
            (never.code(), never.field()),
            ("INVALID_QUIET_HOURS", ["quietUntil"].as_slice())
        );
        for bad in ["", "http://pay.test/", "https://pay.test/ x", "javascript:1"] {
            let error = with(bad).check().unwrap_err();
            assert_eq!(
                (error.code(), error.field()),
                ("INVALID_URL", ["paymentPage"].as_slice())
            );
        }
        let good = with("https://pay.test/?booking=").check().unwrap();
        assert_eq!(
            good.payment_link("4K7QX-93ZPA").unwrap(),
            "https://pay.test/?booking=4K7QX-93ZPA"
        );
    }
}
