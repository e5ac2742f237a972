//! What an export says of itself, so that anybody can hold it against the log: where it is from, what it is of, and the
//! checksums of its rows.

use std::collections::BTreeMap;

use domain::envelope::Position;
use domain::ids::{StationId, TenantId};
use sha2::{Digest, Sha256};

use crate::period::Period;
use crate::tax_report::TaxBasis;

/// The format of a report by the day of the event.
pub const FORMAT: &str = "hibachi-tax-report/1";
/// The format of a report by the day of payment: a field more says so. A program that does not know it takes it for no
/// report, and not for the other.
pub const FORMAT_BY_PAYMENT: &str = "hibachi-tax-report/2";
/// What stands for all stations.
const ALL: &str = "all";

/// Rows, counted and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// How many there are.
    pub rows: u64,
    /// SHA-256 over them, as hexadecimal digits: of a summary over the canonical JSON of its rows, as the report over the
    /// API and the closing of a period have it; of lines over their records as a CSV file has them.
    pub checksum: String,
}

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// When tax is counted.
    pub basis: TaxBasis,
    /// The company.
    pub company: TenantId,
    /// Two-letter state.
    pub state: String,
    /// Days that it is of.
    pub period: Period,
    /// The stations that it is of; none for all.
    pub stations: Option<Vec<StationId>>,
    /// The last position of the log that it holds.
    pub position: Position,
    /// Hash of the log at that position, as hexadecimal digits.
    pub head: String,
    /// Of the summary's rows, where it holds them.
    pub summary: Option<Seal>,
    /// Of the lines, where it holds them.
    pub lines: Option<Seal>,
}

/// Why a text is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// Another program's file, or another version's.
    #[error("it is not an export in the format {FORMAT} or {FORMAT_BY_PAYMENT}")]
    Format,
    /// A field is missing, or does not say what it should.
    #[error("its certificate does not say its {0}")]
    Field(&'static str),
}

/// Names of the fields, in order; the second is there where tax is counted by the day of payment.
pub(crate) const FIELDS: [&str; 12] = [
    "FORMAT",
    BASIS,
    "COMPANY",
    "STATE",
    "PERIOD",
    "STATIONS",
    "POSITION",
    "HEAD",
    "SUMMARY_ROWS",
    "SUMMARY_CHECKSUM",
    "LINES",
    "LINES_CHECKSUM",
];

const BASIS: &str = "BASIS";

/// The format of a report on a basis.
pub(crate) fn format_of(basis: TaxBasis) -> &'static str {
    match basis {
        TaxBasis::EventDate => FORMAT,
        TaxBasis::PaymentDate => FORMAT_BY_PAYMENT,
    }
}

impl Certificate {
    /// The fields with their names, in order; what it does not hold is empty.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let stations = stations_text(self.stations.as_deref());
        let [summary_rows, summary_checksum] = of_seal(self.summary.as_ref());
        let [lines, lines_checksum] = of_seal(self.lines.as_ref());
        let values = [
            format_of(self.basis).to_owned(),
            self.basis.as_str().to_owned(),
            self.company.to_string(),
            self.state.clone(),
            self.period.to_string(),
            stations,
            self.position.to_string(),
            self.head.clone(),
            summary_rows,
            summary_checksum,
            lines,
            lines_checksum,
        ];
        let is_said = |name: &&str| *name != BASIS || self.basis == TaxBasis::PaymentDate;
        let named = FIELDS.into_iter().zip(values);
        named.filter(|(name, _)| is_said(name)).collect()
    }

    /// The certificate of fields that were read.
    ///
    /// # Errors
    /// [`BadCertificate`] when they are none.
    pub fn read(fields: &BTreeMap<String, String>) -> Result<Self, BadCertificate> {
        let field = |name: &'static str| {
            let value = fields.get(name).map(String::as_str);
            value.ok_or(BadCertificate::Field(name))
        };
        let wrong = BadCertificate::Field;
        let basis = match field("FORMAT") {
            Ok(FORMAT) => TaxBasis::EventDate,
            Ok(FORMAT_BY_PAYMENT) => TaxBasis::PaymentDate,
            Ok(_) | Err(_) => return Err(BadCertificate::Format),
        };
        // Of the day of the event nothing is said: a field that says it is named as one that no export has.
        if basis == TaxBasis::PaymentDate && field(BASIS)? != basis.as_str() {
            return Err(wrong(BASIS));
        }
        let stations = match field("STATIONS")? {
            ALL => None,
            ids => {
                let ids = ids.split_whitespace().map(str::parse);
                Some(ids.collect::<Result<_, _>>().map_err(|_| wrong("STATIONS"))?)
            }
        };
        Ok(Self {
            basis,
            company: field("COMPANY")?.parse().map_err(|_| wrong("COMPANY"))?,
            state: field("STATE")?.to_owned(),
            period: field("PERIOD")?.parse().map_err(|_| wrong("PERIOD"))?,
            stations,
            position: Position(field("POSITION")?.parse().map_err(|_| wrong("POSITION"))?),
            head: field("HEAD")?.to_owned(),
            summary: seal(field("SUMMARY_ROWS")?, field("SUMMARY_CHECKSUM")?, "SUMMARY_ROWS")?,
            lines: seal(field("LINES")?, field("LINES_CHECKSUM")?, "LINES")?,
        })
    }
}

/// Which stations something is of, in words.
pub(crate) fn stations_text(stations: Option<&[StationId]>) -> String {
    let Some(stations) = stations else {
        return ALL.to_owned();
    };
    let ids: Vec<String> = stations.iter().map(StationId::to_string).collect();
    ids.join(" ")
}

fn of_seal(seal: Option<&Seal>) -> [String; 2] {
    seal.map_or_else(Default::default, |seal| {
        [seal.rows.to_string(), seal.checksum.clone()]
    })
}

fn seal(rows: &str, checksum: &str, name: &'static str) -> Result<Option<Seal>, BadCertificate> {
    if rows.is_empty() {
        let nothing = checksum.is_empty().then_some(None);
        return nothing.ok_or(BadCertificate::Field(name));
    }
    Ok(Some(Seal {
        rows: rows.parse().map_err(|_| BadCertificate::Field(name))?,
        checksum: checksum.to_owned(),
    }))
}

/// Counts and hashes rows as they go by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sealing {
    rows: u64,
    hasher: Sha256,
}

impl Sealing {
    /// The next row, as a CSV file has it.
    pub(crate) fn take(&mut self, record: &[u8]) {
        self.rows += 1;
        self.hasher.update(record);
    }

    /// Whether there was none yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn seal(self) -> Seal {
        Seal {
            rows: self.rows,
            checksum: hex::encode(self.hasher.finalize()),
        }
    }
}
