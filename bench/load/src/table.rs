//! Medians over the rounds, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

/// What must be reached, by case, request and figure (docs/benchmarks.md).
const TARGETS: [(&str, &str, &str, f64); 4] = [
    ("people", "all", "p95_ms", 400.0),
    ("people", "all", "error_percent", 0.1),
    ("people", "quote", "p95_ms", 50.0),
    ("people", "health", "p95_ms", 10.0),
];
const FIGURES: [&str; 7] = [
    "per_s",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "refused_percent",
    "throttled_percent",
    "error_percent",
];

/// The table of such lines as a run prints, those of several rounds after each other.
pub fn of(lines: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut order: Vec<(String, String)> = Vec::new();
    let mut rounds: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let of = (text("case"), text("request"));
        if !order.contains(&of) {
            order.push(of.clone());
        }
        rounds.entry(of).or_default().push(line);
    }
    let mut table = String::new();
    writeln!(
        table,
        "| case | request | rounds | a second | p50 ms | p95 ms | p99 ms | refused % | throttled % | errors % | target |"
    )?;
    writeln!(table, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    for of in order {
        let measured = &rounds[&of];
        let (case, request) = &of;
        write!(table, "| `{case}` | {request} | {} |", measured.len())?;
        for figure in FIGURES {
            match median(measured, figure) {
                Some(median) => write!(table, " {} |", shown(figure, median))?,
                None => write!(table, " – |")?,
            }
        }
        let targets = TARGETS.iter().filter(|(c, r, ..)| c == case && r == request);
        let met: Vec<String> = targets
            .map(|(_, _, figure, most)| match median(measured, figure) {
                Some(median) if median < *most => format!("{figure} < {most}: reached"),
                _ => format!("{figure} < {most}: missed"),
            })
            .collect();
        writeln!(
            table,
            " {} |",
            if met.is_empty() {
                "–".to_owned()
            } else {
                met.join("; ")
            }
        )?;
        for example in measured
            .iter()
            .filter_map(|line| line["example"].as_str())
            .take(1)
        {
            eprintln!("{case} {request}, an error: {example}");
        }
    }
    Ok(table)
}

/// The middle one of a figure's rounds, the lower of two.
fn median(measured: &[Value], figure: &str) -> Option<f64> {
    let mut figures: Vec<f64> = measured.iter().filter_map(|line| line[figure].as_f64()).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().checked_sub(1)? / 2).copied()
}

fn shown(figure: &str, value: f64) -> String {
    match figure {
        "error_percent" | "refused_percent" | "throttled_percent" if value > 0.0 => format!("{value:.3}"),
        "error_percent" | "refused_percent" | "throttled_percent" => "0".to_owned(),
        _ => format!("{value:.1}"),
    }
}
