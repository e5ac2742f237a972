//! A walk of every role over every question and every field below it, in a company in which all has happened; held against the
//! rights that the schema names, and against a table that people have read. And of another company's people over its ids.

mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use domain::access::{Permission, Role, StationScope};
use serde_json::{Map, Value, json};
use tests::http::{Client, Company, Server, global_id};

use self::schema::{Field, Right, Schema};
use super::{commands, questions};

/// So deep does a question go below its root; deeper there is nothing that is not nearer elsewhere.
const DEPTH: usize = 7;
/// Ids of one question.
const AT_ONCE: usize = 25;

/// What came of a field for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// Nothing stands there, or what it stands on was not come to.
    Nothing,
    /// It is forbidden.
    Forbidden,
    /// It holds something.
    Something,
}

/// What somebody has seen, by type and field.
type Sight = BTreeMap<(String, String), Seen>;

/// Somebody on the way through a company.
struct Walker<'a> {
    schema: &'a Schema,
    given: &'a BTreeMap<&'a str, String>,
    sight: Sight,
    /// Ids that were met, by type.
    ids: BTreeMap<String, BTreeSet<String>>,
    /// Answers that are no answers.
    wrong: Vec<String>,
}

impl Walker<'_> {
    /// Asks a root for all that is below it, again without what is forbidden until nothing is.
    async fn ask(&mut self, client: &Client, root: &Field) {
        let mut left_out = BTreeSet::new();
        loop {
            let mut met = BTreeSet::new();
            let below = if root.is_leaf {
                String::new()
            } else {
                self.selection(&root.of, DEPTH, &mut met, &left_out)
            };
            let query = format!("{{ {} {below} }}", root.called(self.given));
            let answer = client.graphql(&query, json!({})).await;
            let errors = answer["errors"].as_array().cloned().unwrap_or_default();
            let mut is_news = errors.is_empty();
            for error in &errors {
                let about = format!("{}: {error}", root.name);
                if error["extensions"]["code"] != "FORBIDDEN" {
                    self.wrong.push(about);
                    return;
                }
                let path = error["path"].as_array().expect("a path");
                let names = path.iter().filter_map(Value::as_str).collect::<Vec<_>>();
                let (of, name) = self.place(&names);
                let is_root = of == "Query";
                self.saw(&of, &name, Seen::Forbidden);
                is_news |= left_out.insert((of, name));
                if is_root {
                    return;
                }
            }
            if !is_news {
                self.wrong.push(format!("{}: {answer}", root.name));
                return;
            }
            if errors.is_empty() {
                let told = &answer["data"][root.name.as_str()];
                self.note("Query", &root.name, told);
                self.look(&root.of, told);
                return;
            }
        }
    }

    /// All fields of a type, and of those below it that were not met on the way.
    fn selection(
        &self,
        of: &str,
        depth: usize,
        met: &mut BTreeSet<String>,
        left_out: &BTreeSet<(String, String)>,
    ) -> String {
        let mut text = String::from("{ __typename");
        met.insert(of.to_owned());
        // Of an interface its types are met elsewhere.
        for field in self.schema.fields(of) {
            if left_out.contains(&(of.to_owned(), field.name.clone())) {
                continue;
            }
            // The rows of a list are its edges' nodes too.
            if field.name == "edges" {
                continue;
            }
            if field.is_leaf {
                write!(text, " {}", field.called(self.given)).expect("text grows");
            } else if depth > 0 && !met.contains(&field.of) {
                let below = self.selection(&field.of, depth - 1, met, left_out);
                write!(text, " {} {below}", field.called(self.given)).expect("text grows");
            } else {
                write!(text, " {} {{ __typename }}", field.called(self.given)).expect("text grows");
            }
        }
        text.push_str(" }");
        text
    }

    /// The type and field at the end of a path.
    fn place(&self, path: &[&str]) -> (String, String) {
        let mut of = "Query".to_owned();
        let (last, way) = path.split_last().expect("a path has an end");
        for name in way {
            let field = self.schema.fields(&of).iter().find(|field| field.name == *name);
            of = field.expect("the path is one of the schema").of.clone();
        }
        (of, (*last).to_owned())
    }

    fn saw(&mut self, of: &str, name: &str, seen: Seen) {
        let before = self.sight.entry((of.to_owned(), name.to_owned()));
        let before = before.or_insert(Seen::Nothing);
        *before = seen.max(*before);
    }

    fn note(&mut self, of: &str, name: &str, told: &Value) {
        let is_something = match told {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
        };
        let seen = if is_something {
            Seen::Something
        } else {
            Seen::Nothing
        };
        self.saw(of, name, seen);
    }

    fn look(&mut self, of: &str, told: &Value) {
        match told {
            Value::Array(list) => list.iter().for_each(|one| self.look(of, one)),
            Value::Object(object) => self.look_at(of, object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn look_at(&mut self, of: &str, object: &Map<String, Value>) {
        let schema = self.schema;
        for field in schema.fields(of) {
            let Some(told) = object.get(&field.name) else {
                continue;
            };
            self.note(of, &field.name, told);
            if let ("id", Some(id)) = (field.name.as_str(), told.as_str()) {
                self.ids.entry(of.to_owned()).or_default().insert(id.to_owned());
            }
            if !field.is_leaf {
                self.look(&field.of, told);
            }
        }
    }
}

/// The demo company, whose year goes by the test's clock.
async fn demo(server: &Server) -> Company {
    api::demo::company(&server.app)
        .await
        .expect("the demo company can be made");
    let company = server
        .app
        .organisation(api::demo::SLUG)
        .await
        .expect("it is there");
    let company = Company {
        tenant: company.tenant,
        slug: api::demo::SLUG.to_owned(),
        ..server.company.clone()
    };
    server.quiet(&company).await;
    server.caught_up(&company).await;
    company
}

/// What every argument that must be given is, by its name.
async fn arguments(client: &Client) -> BTreeMap<&'static str, String> {
    let ids = "{ stations(first: 1) { nodes { id } } }";
    let ids = client.data(ids, json!({})).await;
    let station = ids["stations"]["nodes"][0]["id"].to_string();
    BTreeMap::from([
        ("first", "2".to_owned()),
        ("stationId", station),
        ("from", "\"2026-01-01\"".to_owned()),
        ("to", "\"2026-01-31\"".to_owned()),
        ("schedule.from", "\"2026-01-01T00:00:00Z\"".to_owned()),
        ("schedule.to", "\"2026-01-31T00:00:00Z\"".to_owned()),
        ("guests", "8".to_owned()),
        ("state", "\"CA\"".to_owned()),
        ("period", "\"2025\"".to_owned()),
    ])
}

/// What a root must be given beside, and another `id` each.
async fn of_root(
    client: &Client,
    root: &str,
    given: &BTreeMap<&'static str, String>,
) -> BTreeMap<&'static str, String> {
    let mut given = given.clone();
    let station = given["stationId"].clone();
    let list = match root {
        "booking" | "node" => Some("bookings"),
        "chef" => Some("chefs"),
        "conversation" => Some("conversations"),
        "customer" => Some("customers"),
        "job" => Some("jobs"),
        "station" => Some("stations"),
        "user" => Some("users"),
        _ => None,
    };
    if let Some(list) = list {
        let found = client
            .data(&format!("{{ {list}(first: 1) {{ nodes {{ id }} }} }}"), json!({}))
            .await;
        let id = &found[list]["nodes"][0]["id"];
        let nobody = json!(global_id("Job", "01930000-0000-7000-8000-000000000001"));
        given.insert("id", if id.is_null() { nobody } else { id.clone() }.to_string());
    }
    let input = match root {
        "quote" => "{zip: \"95112\", start: \"2026-03-14T18:00:00\", guests: {adults: 12}}".to_owned(),
        "messageTemplatePreview" => "{kind: EVENT_REMINDER, channel: SMS}".to_owned(),
        "priceBulkChangePreview" => format!("{{stationId: {station}, by: {{share: \"0.05\"}}}}"),
        "priceListImportPreview" => {
            format!("{{stationId: {station}, csv: \"item,label,kind,price,min,max,effective_from\"}}")
        }
        _ => return given,
    };
    given.insert("input", input);
    given
}

/// Each type with who has seen something of it, and below it the fields that not all of them have seen.
fn table(schema: &Schema, sights: &[(Role, Sight)]) -> String {
    let mut text = String::new();
    for (of, fields) in &schema.0 {
        let who = |name: &str, seen: Seen| -> Vec<&str> {
            let key = (of.clone(), name.to_owned());
            let roles = sights.iter().filter(|(_, sight)| sight.get(&key) == Some(&seen));
            roles.map(|(role, _)| role.as_str()).collect()
        };
        let anybody: Vec<&str> = sights
            .iter()
            .filter(|(_, sight)| {
                let mut of_type = sight.iter().filter(|((found, _), _)| found == of);
                of_type.any(|(_, seen)| *seen == Seen::Something)
            })
            .map(|(role, _)| role.as_str())
            .collect();
        if of == "Mutation" || anybody.is_empty() {
            continue;
        }
        writeln!(text, "{of}: {}", anybody.join(" ")).expect("text grows");
        for field in fields.iter().filter(|field| field.name != "edges") {
            let seen = who(&field.name, Seen::Something);
            let forbidden = who(&field.name, Seen::Forbidden);
            // What nobody met tells of the year and not of rights.
            if seen == anybody || seen.is_empty() && forbidden.is_empty() {
                continue;
            }
            write!(text, "  {}: {}", field.name, seen.join(" ")).expect("text grows");
            if !forbidden.is_empty() {
                write!(text, "; forbidden to {}", forbidden.join(" ")).expect("text grows");
            }
            text.push('\n');
        }
    }
    text
}

/// Where it is not so as the schema says of rights, or something is seen without the right to it.
fn unjust(schema: &Schema, role: Role, sight: &Sight) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, about: String| {
        if !holds {
            wrong.push(about);
        }
    };
    for (of, fields) in &schema.0 {
        for field in fields {
            let seen = sight.get(&(of.clone(), field.name.clone()));
            let about = format!("{role:?} {of}.{}: {seen:?}", field.name);
            let right = field.right(role);
            let has_not = right == Right::HasNot;
            must(
                !(has_not && seen == Some(&Seen::Something)),
                format!("{about}: seen"),
            );
            must(
                !(has_not && seen == Some(&Seen::Nothing)) || field.is_null_without(),
                format!("{about}: not forbidden"),
            );
            // What `node` needs is what the noun needs that it leads to.
            must(
                seen != Some(&Seen::Forbidden) || right != Right::Has || field.name == "node",
                format!("{about}: the schema does not say so"),
            );
            let tells = |of: &str| seen == Some(&Seen::Something) && field.of == of;
            must(
                !tells("Money") || role.may(Permission::MoneyRead),
                format!("{about}: money"),
            );
            let is_tax = of.starts_with("Tax") && seen == Some(&Seen::Something);
            must(!is_tax || role.may(Permission::TaxRead), format!("{about}: tax"));
            must(
                !tells("Customer") || role.may(Permission::CustomerRead),
                format!("{about}: a customer"),
            );
        }
    }
    wrong
}

/// The table is the one that people have read. `HIBACHI_UPDATE=1` writes it anew.
fn assert_agreed(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/it/access/rights.txt");
    if std::env::var_os("HIBACHI_UPDATE").is_some() {
        fs::write(path, table).expect("the table can be written");
    }
    let agreed = fs::read_to_string(path).unwrap_or_default();
    for (agreed, now) in agreed.lines().zip(table.lines()) {
        assert_eq!(
            now, agreed,
            "what somebody may see has changed: read it, then HIBACHI_UPDATE=1"
        );
    }
    assert_eq!(table.lines().count(), agreed.lines().count());
}

#[tokio::test]
async fn every_role_sees_of_every_field_what_the_schema_says_and_nobody_elses() {
    let server = Server::start().await;
    let company = demo(&server).await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, server.sign_in_at(&company, role, StationScope::All).await));
    }
    server.caught_up(&company).await;
    let chief = &people[0].1;
    let schema = Schema::read(chief).await;
    let given = arguments(chief).await;
    let mut sights = Vec::new();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (role, client) in &people {
        let mut sight = Sight::new();
        for root in schema.fields("Query") {
            let of_root = of_root(chief, &root.name, &given).await;
            let mut walker = Walker {
                schema: &schema,
                given: &of_root,
                sight,
                ids: BTreeMap::new(),
                wrong: Vec::new(),
            };
            walker.ask(client, root).await;
            wrong.extend(walker.wrong);
            sight = walker.sight;
            for (of, met) in walker.ids {
                ids.entry(of).or_default().extend(met);
            }
        }
        wrong.extend(unjust(&schema, *role, &sight));
        sights.push((*role, sight));
    }
    assert_eq!(wrong, Vec::<String>::new());
    let seen: usize = sights.iter().map(|(_, sight)| sight.len()).sum();
    assert!(seen > 4_000, "only {seen} fields were come to, over all roles");
    assert_agreed(&table(&schema, &sights));
    let before = server.written(&company).await;
    let spy = server
        .sign_in_at(&server.company, Role::SuperAdmin, StationScope::All)
        .await;
    finds_none(&spy, &ids).await;
    does_nothing_to_any(&spy, &server, &ids).await;
    assert_eq!(server.written(&company).await, before);
}

/// Nothing is found by another company's ids.
async fn finds_none(spy: &Client, ids: &BTreeMap<String, BTreeSet<String>>) {
    let ids: Vec<&String> = ids.values().flatten().collect();
    assert!(ids.len() > 100, "{} ids", ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut query = String::from("{");
        for (number, id) in ids.iter().enumerate() {
            write!(query, " n{number}: node(id: {id:?}) {{ id }}").expect("text grows");
        }
        query.push('}');
        let found = spy.data(&query, json!({})).await;
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(found[format!("n{number}")], Value::Null, "{id}");
        }
    }
}

/// Commands about another company's things are answered as those about things that there are not.
async fn does_nothing_to_any(spy: &Client, server: &Server, ids: &BTreeMap<String, BTreeSet<String>>) {
    let nobody = "01930000-0000-7000-8000-000000000001";
    let asked = commands().into_iter().chain(questions(server));
    let mut tried = 0;
    for asked in asked {
        let mut theirs = asked.variables.to_string();
        for (of, ids) in ids {
            let id = ids.first().expect("a type is there with an id");
            theirs = theirs.replace(&global_id(of, nobody), id);
        }
        let theirs: Value = serde_json::from_str(&theirs).expect("ids are plain");
        if theirs == asked.variables {
            continue;
        }
        tried += 1;
        let nothing = spy.graphql(&asked.document, asked.variables).await;
        let theirs = spy.graphql(&asked.document, theirs).await;
        let codes =
            |answer: &Value| -> Value { json!([answer["data"], answer["errors"][0]["extensions"]["code"]]) };
        assert_eq!(codes(&theirs), codes(&nothing), "{}", asked.field);
    }
    assert!(tried > 50, "{tried}");
}
