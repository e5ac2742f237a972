//! A log in another database: the same, whole or not there, and of nobody's use to rewrite one that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{CommandId, EventId};
use event_log::{
    Append, Begun, Database, EventLog, LogError, MasterKey, Organisation, Outcome, StreamWrite, SubjectKey,
    SystemEntropy, Vault,
};
use replays::bundle::{ImportError, Keys, Sound, check_bundle, import_bundle};
use replays::{Trust, verify, verify_claims, verify_references};
use sqlx::{AssertSqlSafe, Executor};
use tests::database::TestDatabase;
use uuid::Uuid;

use super::World;

/// The same key as the company's own installation has.
fn vault(database: &Database, key: u8) -> Vault {
    Vault::new(
        database.clone(),
        MasterKey::new([key; 32]),
        Arc::new(SystemEntropy),
    )
}

async fn sound(world: &World) -> Sound {
    check_bundle(&world.bundle(), &Trust::default(), &())
        .await
        .sound
        .expect("the test's own world")
}

/// Everything that the tables of the log hold of a company, as text.
async fn contents(database: &TestDatabase) -> BTreeMap<&'static str, String> {
    let mut superuser = database.superuser().await;
    let mut contents = BTreeMap::new();
    for table in [
        "organisations",
        "log_head",
        "events",
        "log_blocks",
        "commands",
        "claims_unique",
        "claims_capacity",
        "claims_interval",
        "signed_heads",
        "tenant_keys",
        "subject_keys",
    ] {
        let sql =
            format!("select coalesce(string_agg(t::text, chr(10) order by t::text), '') from {table} t");
        let text: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut superuser)
            .await
            .expect("the test's own world");
        contents.insert(table, text);
    }
    contents
}

fn event(number: u128) -> Append {
    let event = NewEvent {
        event_id: EventId(Uuid::from_u128(number)),
        event_type: "thing.happened",
        event_version: 1,
        payload: "{}".to_owned(),
        claims: vec![],
    };
    Append {
        tenant: domain::ids::TenantId(Uuid::nil()),
        command_id: CommandId(Uuid::from_u128(number)),
        digest: [0; 32],
        streams: vec![StreamWrite {
            stream: StreamId::new("thing", "a"),
            expected: Expectation::Any,
            events: vec![event],
        }],
        reads: vec![],
        erases: vec![],
        meta: BTreeMap::new(),
    }
}

/// That nobody finds the organisation, and nothing can be appended to it.
async fn assert_not_there(log: &EventLog, organisation: &Organisation) {
    let found = log.database().organisation_by_slug(&organisation.slug).await;
    assert_eq!(found, Ok(None));
    assert_eq!(log.database().organisations().await, Ok(vec![]));
    let unknown = LogError::UnknownTenant(organisation.tenant);
    assert_eq!(log.head(organisation.tenant).await, Err(unknown.clone()));
    let append = Append {
        tenant: organisation.tenant,
        ..event(1)
    };
    assert_eq!(log.append(append).await, Err(unknown));
}

#[tokio::test]
async fn an_imported_log_is_the_same_row_by_row_and_goes_on() {
    let world = World::new().await;
    let bundle = sound(&world).await;
    let target = TestDatabase::new().await;
    let log = target.log().await;
    let vault = vault(log.database(), 7);
    let now = world.server.now();
    let imported = import_bundle(&log, &bundle, None, Keys::With(&vault), now, &())
        .await
        .unwrap();
    let head = bundle.manifest.head();
    assert_eq!(
        (imported.position, imported.taken_up_at),
        (head.position, Position::START)
    );
    assert_eq!(imported.organisation, bundle.manifest.organisation());
    assert_eq!(contents(&target).await, contents(world.server.database()).await);

    let tenant = imported.organisation.tenant;
    assert_eq!(verify(&log, tenant, &()).await.unwrap().head, head);
    verify_references(&log, tenant, head.position).await.unwrap();
    assert_eq!(verify_claims(&log, tenant, &()).await.unwrap(), bundle.claims());
    let again = import_bundle(&log, &bundle, Some("elsewhere"), Keys::With(&vault), now, &()).await;
    assert!(matches!(again, Err(ImportError::Exists { .. })), "{again:?}");
    let appended = log.append(Append { tenant, ..event(1) }).await;
    assert!(
        matches!(&appended, Ok(Outcome::Appended(receipt)) if receipt.first == head.position.next()),
        "{appended:?}"
    );
    assert_eq!(
        verify(&log, tenant, &()).await.unwrap().events,
        head.position.0 + 1
    );
}

#[tokio::test]
async fn keys_that_do_not_open_here_are_refused_by_the_name_of_their_master_key() {
    let world = World::new().await;
    let bundle = sound(&world).await;
    let target = TestDatabase::new().await;
    let log = target.log().await;
    let other = vault(log.database(), 8);
    let now = world.server.now();
    let refused = import_bundle(&log, &bundle, None, Keys::With(&other), now, &()).await;
    let name = MasterKey::new([7; 32]).id();
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!("the keys of the bundle do not open here: the master key {name} is missing")
    );
    assert_not_there(&log, &bundle.manifest.organisation()).await;
    // One of the keys is the company's own.
    let persons = usize::try_from(bundle.manifest.keys.unwrap()).unwrap() - 1;
    // Without the keys, and under another slug.
    let imported = import_bundle(&log, &bundle, Some("moved"), Keys::Without, now, &())
        .await
        .unwrap();
    assert_eq!(
        (imported.organisation.slug.as_str(), imported.sealed_for_ever),
        ("moved", persons)
    );
    let tenant = imported.organisation.tenant;
    let subjects: Vec<Uuid> = sqlx::query_scalar("select subject_id from subject_keys")
        .fetch_all(&mut target.superuser().await)
        .await
        .unwrap();
    let subject = domain::ids::SubjectId(subjects[0]);
    let keys = other.subject_keys(tenant, &[subject]).await.unwrap();
    assert!(matches!(keys[&subject], SubjectKey::Destroyed { .. }));
    assert_eq!(
        other.sealer(tenant, subject).await.err(),
        Some(LogError::Erased(subject))
    );
}

#[tokio::test]
async fn what_is_half_written_is_nobodys_and_is_taken_up_by_the_same_bundle_alone() {
    let world = World::new().await;
    let bundle = sound(&world).await;
    let organisation = bundle.manifest.organisation();
    let target = TestDatabase::new().await;
    let log = target.log().await;
    let vault = vault(log.database(), 7);
    let events = world
        .server
        .app
        .log
        .read(organisation.tenant, Position::START, 10, None)
        .await
        .unwrap();
    let begin = async |hash| log.database().begin_import(&organisation, hash).await.unwrap();
    let Begun::Import(mut first) = begin(&bundle.manifest_hash).await else {
        panic!("nobody else imports")
    };
    let Begun::Import(mut second) = begin(&bundle.manifest_hash).await else {
        panic!("the same bundle may be taken up")
    };
    first.write(&events, &[], &[]).await.unwrap();
    let late = second.write(&events, &[], &[]).await;
    assert!(
        matches!(&late, Err(LogError::Refused { code, .. }) if code == "HB001"),
        "{late:?}"
    );
    assert!(matches!(begin(&[0; 32]).await, Begun::OtherBundle));
    assert_not_there(&log, &organisation).await;
    let early = first.finish(&bundle.manifest.head(), None).await;
    assert!(
        matches!(&early, Err(LogError::Refused { code, .. }) if code == "HB001"),
        "{early:?}"
    );

    let now = world.server.now();
    let imported = import_bundle(&log, &bundle, None, Keys::With(&vault), now, &())
        .await
        .unwrap();
    assert_eq!(imported.taken_up_at, Position(10));
    assert_eq!(contents(&target).await, contents(world.server.database()).await);
}

#[tokio::test]
async fn the_functions_of_imports_change_nothing_of_a_log_that_is_there() {
    let world = World::new().await;
    let bundle = sound(&world).await;
    let organisation = bundle.manifest.organisation();
    let source = world.server.database();
    let database = &world.server.app.database;
    let before = contents(source).await;
    let begun = database.begin_import(&organisation, &[0; 32]).await;
    assert!(matches!(begun, Ok(Begun::Exists)), "{begun:?}");
    let newcomer = Organisation {
        tenant: domain::ids::TenantId(Uuid::from_u128(9)),
        ..organisation.clone()
    };
    let begun = database.begin_import(&newcomer, &[0; 32]).await;
    assert!(matches!(begun, Ok(Begun::SlugTaken)), "{begun:?}");

    let tenant = organisation.tenant;
    let mut superuser = source.superuser().await;
    // As if somebody had begun one before the company came: its head is there, and that counts.
    let forged = "insert into log_imports (tenant_id, slug, name, created_at, bundle)
        select tenant_id, slug, name, created_at, sha256('') from organisations";
    for prepared in [None, Some(forged)] {
        if let Some(prepared) = prepared {
            superuser.execute(prepared).await.unwrap();
        }
        for (call, code) in [
            (
                "select import_events($1, 0, '{thing}', '{a}', '{1}', '{thing.happened}', '{1}', '{\"{}\"}',
                    '{\"{}\"}', array[gen_random_uuid()], array[gen_random_uuid()], array[now()], array[sha256('')])",
                "HB001",
            ),
            (
                "select import_blocks($1, 0, '{1}', '{1}', array[sha256('')], array[sha256('')], array[now()])",
                "HB001",
            ),
            (
                "select import_commands($1, 0, array[gen_random_uuid()], array[sha256('')], '{1}', '{1}',
                    array['[]'::jsonb], array[now()])",
                "HB001",
            ),
            (
                "select import_claims($1, 0, '{unique}', '{a}', '{b}', '{c}', '{d}', '{null}', '{null}', '{null}')",
                "HB001",
            ),
            (
                "select import_subject_keys($1, 0, array[gen_random_uuid()], array[sha256('')],
                    array[null::bytea], array[now()], array[null::timestamptz])",
                "HB001",
            ),
            (
                "select finish_import($1, 0, now(), 0, sha256(''), 0, 0, 0, null, null, null, null)",
                "HB001",
            ),
            ("update log_imports set events = 0 where tenant_id = $1", "42501"),
            ("insert into log_imports (tenant_id) values ($1)", "42501"),
            ("delete from log_imports where tenant_id = $1", "42501"),
        ] {
            let mut transaction = database.begin(tenant).await.unwrap();
            let refused = sqlx::query(call).bind(tenant.0).execute(&mut *transaction).await;
            let found = refused.as_ref().err().and_then(|error| error.as_database_error());
            assert_eq!(found.and_then(|error| error.code()).as_deref(), Some(code), "{call}: {refused:?}");
        }
    }
    assert_eq!(contents(source).await, before);
}
