//! What changed in a read model between two moments.

use std::collections::BTreeMap;

use domain::envelope::Position;
use projections::{projection, registry};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use replays::diff::Fate;
use replays::moment::{Moment, ReplayError};
use replays::show::{Format, Which};
use serde_json::{Map, Value, json};

use super::{TABLE, at, diff, lines, show, written};
use crate::projections::company::{Company, id, number};

/// Pairs of positions for each read model.
const PAIRS: usize = 6;

/// Rows by their key.
async fn rows(company: &Company, view: &str, position: Position) -> BTreeMap<String, Value> {
    let keys: Vec<&str> = projection(view)
        .expect("the test's own world")
        .columns()
        .into_iter()
        .filter(|column| column.is_key)
        .map(|column| column.name)
        .collect();
    let key = |row: &Value| -> Value {
        let fields: Map<String, Value> = keys
            .iter()
            .map(|&name| (name.to_owned(), row[name].clone()))
            .collect();
        Value::Object(fields)
    };
    let shown = show(company, view, position, Which::All).await;
    shown.rows().map(|row| (key(&row).to_string(), row)).collect()
}

/// Does to rows what a line of a difference says.
fn apply(rows: &mut BTreeMap<String, Value>, line: &Value) {
    let key = line["key"].to_string();
    let fields = line["fields"].as_object().expect("the test's own world");
    match line["change"].as_str().expect("the test's own world") {
        "vanished" => drop(rows.remove(&key).expect("what vanished was there")),
        "appeared" => {
            let row = fields
                .iter()
                .map(|(name, field)| (name.clone(), field["after"].clone()))
                .collect();
            // A field that is null at both ends is none that differs.
            assert_eq!(rows.insert(key, Value::Object(row)), None);
        }
        "changed" => {
            let row = rows.get_mut(&key).expect("what changed was there");
            for (name, field) in fields {
                assert_eq!(row[name], field["before"], "{key} {name}");
                row[name] = field["after"].clone();
            }
        }
        other => panic!("{other}"),
    }
}

/// Without the fields that are null: a row that appeared has them not.
fn filled(rows: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let fill = |mut row: Value| {
        if let Some(fields) = row.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        row
    };
    rows.into_iter().map(|(key, row)| (key, fill(row))).collect()
}

#[tokio::test]
async fn a_difference_applied_to_the_earlier_rows_gives_the_later_ones() {
    let company = Company::busy(12).await;
    let head = at(&company, Moment::Head).await.unwrap().position.0;
    let mut runner = TestRunner::deterministic();
    for of in registry() {
        for _ in 0..PAIRS {
            let pair = (0..=head, 0..=head).new_tree(&mut runner).unwrap().current();
            let (from, to) = (Position(pair.0.min(pair.1)), Position(pair.0.max(pair.1)));
            let found = diff(&company, of.name(), (from, to), Which::All).await.unwrap();
            let told = lines(&written(|out| found.write(Format::Json, out)));
            let mut applied = rows(&company, of.name(), from).await;
            for line in &told[1..] {
                apply(&mut applied, line);
            }
            let later = rows(&company, of.name(), to).await;
            assert_eq!(filled(applied), filled(later), "{} {from} {to}", of.name());
            let ends = [(&found.from, from), (&found.to, to)];
            for (end, position) in ends {
                let shown = show(&company, of.name(), position, Which::All).await;
                assert_eq!((end.rows, end.checksum), (shown.total(), shown.checksum));
            }
            for change in &found.changes {
                let within = |position: Position| from < position && position <= to;
                assert!(change.causes.iter().all(|cause| within(cause.entry.position)));
                assert!(!change.causes.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_payment_that_came_is_told_with_its_events_and_its_sum() {
    let company = Company::busy(3).await;
    let from = company.request(4).await;
    let to = company.pay(4).await;
    let found = diff(&company, "booking_list", (from, to), Which::All)
        .await
        .unwrap();
    assert_eq!(found.count(Fate::Changed), 1);
    assert_eq!((found.count(Fate::Appeared), found.count(Fate::Vanished)), (0, 0));
    assert!(found.sums.contains(&("paid_cents", 85_118)), "{:?}", found.sums);
    let table = written(|out| found.write(TABLE, out));
    for said in [
        format!("~ {}\n", id(4)),
        "  paid_cents  0.00 (0) → 851.18 (85118): +851.18\n".to_owned(),
        format!("  by {to}  "),
        "payment.verified\n     system test by cli\n".to_owned(),
        "for booking 00000-00004\n     verified\n".to_owned(),
        "  paid_cents             +851.18 (+85118)\n".to_owned(),
    ] {
        assert!(table.contains(&said), "{said:?} in {table}");
    }
    let csv = written(|out| found.write(Format::Csv, out));
    assert!(
        csv.contains(&format!("changed,{},paid_cents,0,85118,{to}\r\n", id(4))),
        "{csv}"
    );
    assert!(csv.contains("SUM,,paid_cents,,85118,\r\n"), "{csv}");
    let json = lines(&written(|out| found.write(Format::Json, out)));
    assert_eq!(json[0]["sums"]["paid_cents"], json!(85_118));
    assert_eq!(
        json[1]["fields"]["paid_cents"],
        json!({"before": 0, "after": 85_118})
    );
    assert_eq!(json[1]["events"][0]["type"], "payment.verified");

    let columns = projection("booking_list").unwrap().columns();
    for (key, rows) in [(number(4), 1), (number(1), 0)] {
        let which = Which::parse(&key, "booking_list", &columns).unwrap();
        let found = diff(&company, "booking_list", (from, to), which).await.unwrap();
        assert_eq!(found.changes.len(), rows, "{key}");
    }
}

#[tokio::test]
async fn nothing_changes_between_a_moment_and_itself_and_backwards_is_refused() {
    let company = Company::busy(2).await;
    let head = at(&company, Moment::Head).await.unwrap().position;
    let same = diff(&company, "tax_ledger", (head, head), Which::All)
        .await
        .unwrap();
    assert_eq!((same.changes.len(), &same.from), (0, &same.to));
    let earlier = Position(head.0 - 1);
    let refused = diff(&company, "tax_ledger", (head, earlier), Which::All).await;
    assert!(matches!(refused, Err(ReplayError::Backwards { .. })));
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!("position {head} comes after position {earlier}: --from is the earlier of the two")
    );
}
