//! The tax report of a period as the document that is filed, and whether a document is what the log gives.

use std::collections::BTreeMap;

use domain::access::{Permission, Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use projections::books::trial_balance;
use projections::period::Period;
use projections::tax_export::{
    BadCertificate, Certificate, Checked, Difference, certificate_of, head_of, require_whole,
};
use projections::tax_report::{TaxBasis, TaxReport, tax_report_of_log, tax_report_on};
use projections::{At, ReadError};

use crate::app::App;
use crate::documents::{self, Filing};

/// What stands before and behind the keywords of a document: metadata is not packed in what is to be archived.
const KEYWORDS: (&str, &str) = ("<pdf:Keywords>", "</pdf:Keywords>");
/// What stands between two of them.
const BETWEEN: &str = ", ";

/// The report and its document, as of the log's position that both name.
///
/// # Errors
/// [`ReadError`] when the viewer may not export tax, or there is no answer.
pub(crate) async fn filed_report(
    app: &App,
    viewer: &Viewer,
    basis: TaxBasis,
    state: &str,
    period: Period,
    at: At,
) -> Result<(TaxReport, Vec<u8>), ReadError> {
    viewer.require(Permission::TaxExport)?;
    let report = tax_report_on(&app.views, viewer, basis, state, period, at).await?;
    require_whole(&report)?;
    let bytes = document(app, viewer, &report).await?;
    Ok((report, bytes))
}

/// The document of a report.
async fn document(app: &App, viewer: &Viewer, report: &TaxReport) -> Result<Vec<u8>, ReadError> {
    // The same entries, now and whenever the document is made again.
    let books = At::AsOf(report.position);
    let books = trial_balance(&app.views, viewer, Some(report.period.until()), books).await?;
    let companies = app.database.organisations().await?;
    let company = companies
        .into_iter()
        .find(|company| company.tenant == viewer.tenant);
    let head = head_of(&app.views, viewer.tenant, report.position).await?;
    let fields = certificate_of(report, viewer, &head).fields().into_iter();
    let certificate = fields.map(|(name, value)| format!("{name}={value}"));
    let filing = Filing {
        organisation: company.map(|company| company.name).unwrap_or_default(),
        deposits_held: books.deposits_held(),
        tips_payable: books.tips_payable(),
        head_hash: Some(head),
        certificate: certificate.collect(),
        // The day of what it says, and not of its printing: the same report is the same document for ever.
        on: report
            .info
            .recorded_at
            .unwrap_or_else(|| app.clock.now())
            .date_naive(),
    };
    Ok(documents::tax_report(report, &filing))
}

/// What a document says of itself.
fn said(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let keywords = text
        .split_once(KEYWORDS.0)
        .and_then(|(_, rest)| rest.split_once(KEYWORDS.1))
        .map_or("", |(keywords, _)| keywords);
    let named = keywords
        .split(BETWEEN)
        .filter_map(|keyword| keyword.split_once('='));
    named
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether a document is a PDF.
pub(crate) fn is_document(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}

/// Holds a document against a company's log: it is made again as of the position that it names, and is the same to the
/// byte or not the same.
///
/// # Errors
/// [`BadCertificate`] within, where it does not say what it is of; [`ReadError`] when there is no answer.
pub(crate) async fn check_document(
    app: &App,
    tenant: TenantId,
    bytes: &[u8],
) -> Result<Result<Checked, BadCertificate>, ReadError> {
    let said = said(bytes);
    let certificate = match Certificate::read(&said) {
        Ok(certificate) => certificate,
        Err(error) => return Ok(Err(error)),
    };
    let ended = app.log.head(tenant).await.map_err(ReadError::from)?.position;
    if certificate.position > ended {
        let beyond = Difference {
            place: "certificate".to_owned(),
            column: "POSITION".to_owned(),
            file: certificate.position.to_string(),
            log: format!("the log ends at {ended}"),
        };
        return Ok(Ok(Checked {
            certificate,
            differences: vec![beyond],
            count: 1,
        }));
    }
    let viewer = Viewer {
        tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Accountant,
        stations: certificate
            .stations
            .clone()
            .map_or(StationScope::All, StationScope::Only),
        through: None,
    };
    let (state, period) = (&certificate.state, certificate.period.clone());
    let (basis, position) = (certificate.basis, certificate.position);
    let report = tax_report_of_log(&app.views, &viewer, basis, state, period, position).await?;
    require_whole(&report)?;
    let again = document(app, &viewer, &report).await?;
    let head = head_of(&app.views, tenant, report.position).await?;
    let mut differences: Vec<Difference> = Vec::new();
    for (name, log) in certificate_of(&report, &viewer, &head).fields() {
        let file = said.get(name).cloned().unwrap_or_default();
        if file != log {
            differences.push(Difference {
                place: "certificate".to_owned(),
                column: name.to_owned(),
                file,
                log,
            });
        }
    }
    if differences.is_empty() && again != bytes {
        let first = again.iter().zip(bytes).position(|(ours, theirs)| ours != theirs);
        let at = first.unwrap_or_else(|| again.len().min(bytes.len()));
        differences.push(Difference {
            place: format!("byte {at}"),
            column: "document".to_owned(),
            file: "another document".to_owned(),
            log: "the one that this report gives".to_owned(),
        });
    }
    Ok(Ok(Checked {
        count: u64::try_from(differences.len()).unwrap_or(u64::MAX),
        certificate,
        differences,
    }))
}
