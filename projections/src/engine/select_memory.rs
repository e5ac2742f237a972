//! A query over rows in memory, with the meaning that it has in SQL.

use std::cmp::Ordering;

use super::column::Value;
use super::fold::Row;
use super::select::{BadCursor, Condition, Direction, Order, Select};
use super::sums::{Adding, Group, Sums};

/// Whether a row meets a condition.
pub(crate) fn meets<R: Row>(row: &R, condition: &Condition) -> bool {
    let is = |column: &'static str, wanted: fn(Ordering) -> bool, value: &Value| {
        row.value(column).is_some_and(|have| wanted(have.cmp(value)))
    };
    match condition {
        Condition::Eq(column, value) => is(column, Ordering::is_eq, value),
        Condition::OneOf(column, values) => values.iter().any(|value| is(column, Ordering::is_eq, value)),
        Condition::AtLeast(column, value) => is(column, Ordering::is_ge, value),
        Condition::AtLeastOrNull(column, value) => {
            row.value(column).is_none() || is(column, Ordering::is_ge, value)
        }
        Condition::Below(column, value) => is(column, Ordering::is_lt, value),
        Condition::Contains(columns, text) => {
            let wanted = text.to_ascii_lowercase();
            columns.iter().any(|column| match row.value(column) {
                Some(Value::Text(have)) => have.to_ascii_lowercase().contains(&wanted),
                Some(Value::Uuid(_) | Value::Int(_) | Value::Instant(_) | Value::Date(_)) | None => false,
            })
        }
    }
}

/// Whether a row meets all of them.
pub(crate) fn meets_all<R: Row>(row: &R, conditions: &[Condition]) -> bool {
    conditions.iter().all(|condition| meets(row, condition))
}

fn compare(order: Order, a: &[Value], b: &[Value]) -> Ordering {
    match order.direction {
        Direction::Ascending => a.cmp(b),
        Direction::Descending => b.cmp(a),
    }
}

/// Takes rows one after the other, in any order, and keeps no more of them than the answer needs.
#[derive(Debug, Clone)]
pub(crate) struct Sieve<R> {
    conditions: Vec<Condition>,
    keeps: Keeps<R>,
}

/// What is kept of the rows that meet the conditions.
#[derive(Debug, Clone)]
enum Keeps<R> {
    /// Those of a page, and the one after it.
    Page(PageOf<R>),
    /// All of them.
    All(Vec<R>),
    /// Their number.
    Count(u64),
    /// Their sums.
    Sums(Adding),
}

#[derive(Debug, Clone)]
struct PageOf<R> {
    select: Select,
    /// The place that the page comes after.
    after: Option<Vec<Value>>,
    /// Those that come first so far, twice as many as are wanted at most, in no order.
    first: Vec<(Vec<Value>, R)>,
    /// A place with enough rows before it.
    enough: Option<Vec<Value>>,
}

impl<R: Row> Sieve<R> {
    /// For a page.
    pub(crate) fn page(select: Select) -> Result<Self, BadCursor> {
        let after = select.after.as_ref();
        Ok(Self {
            conditions: select.conditions.clone(),
            keeps: Keeps::Page(PageOf {
                after: after.map(|cursor| cursor.read::<R>(select.order)).transpose()?,
                select,
                first: Vec::new(),
                enough: None,
            }),
        })
    }

    /// For every row that meets the conditions.
    pub(crate) fn all(conditions: Vec<Condition>) -> Self {
        Self {
            conditions,
            keeps: Keeps::All(Vec::new()),
        }
    }

    /// For their number.
    pub(crate) fn count(conditions: Vec<Condition>) -> Self {
        Self {
            conditions,
            keeps: Keeps::Count(0),
        }
    }

    /// For their sums.
    pub(crate) fn sums(sums: Sums) -> Self {
        Self {
            conditions: sums.conditions.clone(),
            keeps: Keeps::Sums(Adding::new(sums)),
        }
    }

    /// What the rows must meet.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The page that is asked for; none where it is not a page.
    pub(crate) fn select(&self) -> Option<&Select> {
        match &self.keeps {
            Keeps::Page(page) => Some(&page.select),
            Keeps::All(_) | Keeps::Count(_) | Keeps::Sums(_) => None,
        }
    }

    /// Whether rows are counted and not kept.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.keeps, Keeps::Count(_))
    }

    /// Looks at a row.
    pub(crate) fn offer(&mut self, row: &R) {
        if !meets_all(row, &self.conditions) {
            return;
        }
        match &mut self.keeps {
            Keeps::Page(page) => page.offer(row),
            Keeps::All(rows) => rows.push(row.clone()),
            Keeps::Count(count) => *count += 1,
            Keeps::Sums(sums) => sums.add(row),
        }
    }

    /// Counts rows that somebody else has found to meet the conditions.
    pub(crate) fn add(&mut self, counted: u64) {
        if let Keeps::Count(count) = &mut self.keeps {
            *count += counted;
        }
    }

    /// The rows: of a page in order and one more where there is one, else in no order. None where they are counted or
    /// added up.
    pub(crate) fn into_rows(self) -> Vec<R> {
        match self.keeps {
            Keeps::Page(page) => page.into_rows(),
            Keeps::All(rows) => rows,
            Keeps::Count(_) | Keeps::Sums(_) => Vec::new(),
        }
    }

    /// How many rows there are.
    pub(crate) fn into_count(self) -> u64 {
        match self.keeps {
            Keeps::Count(count) => count,
            Keeps::Page(PageOf { first, .. }) => count_of(&first),
            Keeps::All(rows) => count_of(&rows),
            Keeps::Sums(_) => 0,
        }
    }

    /// The groups of rows that are added up, in no order; none where they are not.
    pub(crate) fn into_groups(self) -> Vec<Group> {
        match self.keeps {
            Keeps::Sums(sums) => sums.into_groups(),
            Keeps::Page(_) | Keeps::All(_) | Keeps::Count(_) => Vec::new(),
        }
    }
}

fn count_of<T>(rows: &[T]) -> u64 {
    u64::try_from(rows.len()).expect("a count of rows fits 64 bits")
}

impl<R: Row> PageOf<R> {
    /// The page's rows, and one more.
    fn wanted(&self) -> usize {
        usize::from(self.select.first) + 1
    }

    fn offer(&mut self, row: &R) {
        let order = self.select.order;
        let place = order.place(row);
        let before = |limit: &Option<Vec<Value>>| {
            let limit = limit.as_ref();
            limit.is_some_and(|limit| compare(order, &place, limit).is_lt())
        };
        let comes_after = self
            .after
            .as_ref()
            .is_none_or(|after| compare(order, &place, after).is_gt());
        if !comes_after || (self.enough.is_some() && !before(&self.enough)) {
            return;
        }
        self.first.push((place, row.clone()));
        let wanted = self.wanted();
        if self.first.len() >= 2 * wanted {
            self.first
                .select_nth_unstable_by(wanted - 1, |(a, _), (b, _)| compare(order, a, b));
            self.first.truncate(wanted);
            self.enough = self.first.last().map(|(place, _)| place.clone());
        }
    }

    fn into_rows(mut self) -> Vec<R> {
        let (order, wanted) = (self.select.order, self.wanted());
        self.first.sort_by(|(a, _), (b, _)| compare(order, a, b));
        self.first.truncate(wanted);
        self.first.into_iter().map(|(_, row)| row).collect()
    }
}
