//! Jobs.

use domain::job::{JobStatus, JobTask};
use projections::job_list::{self, JobFilter};
use projections::{At, Cursor, Slice};

use super::fill::{fill, station};
use super::{Case, Program, START, assert_along_an_index, kept_to};
use crate::projections::company::auditor;

#[tokio::test]
async fn jobs_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["job_list"]).await;
    let all = auditor();
    let one_station = station(3).to_string();
    macro_rules! jobs {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("jobs by ", $what), "job_list", [$($value),*] $(, narrows $column)?,
                |models, slice| job_list::page(models, $viewer, $filter, slice, At::NOW),
                after [START, "01930000-0000-7000-8000-000000000001"])
        };
    }
    jobs!("nothing", &all, JobFilter::default(), []);
    jobs!("reach", &kept_to(3), JobFilter::default(), [&one_station]);
    let dead = || JobFilter {
        status: Some(JobStatus::Dead),
        ..JobFilter::default()
    };
    jobs!("status", &all, dead(), ["dead"], narrows "status");
    let reactions = || JobFilter {
        task: Some(JobTask::React),
        ..JobFilter::default()
    };
    jobs!("task", &all, reactions(), ["react"]);
}
