//! What the database itself refuses.

use domain::envelope::Expectation;
use event_log::{Database, LogError};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tests::database::TestDatabase;

use super::{OTHER_TENANT, TENANT, World, one};

const CHANGES: [&str; 6] = [
    "update events set payload = '{}'",
    "delete from events",
    "truncate events",
    "update log_blocks set block = 9",
    "delete from log_blocks",
    "truncate log_blocks",
];

async fn refusal(connection: &mut PgConnection, sql: &'static str) -> String {
    let error = connection.execute(sql).await.expect_err(sql);
    let refusal = error.as_database_error().expect("the database refuses");
    refusal.code().expect("a refusal has a code").into_owned()
}

#[tokio::test]
async fn nobody_changes_the_log() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    let mut superuser = world.test.superuser().await;
    for change in CHANGES {
        assert_eq!(
            refusal(&mut superuser, change).await,
            "HB001",
            "trigger: {change}"
        );
    }
    let mut transaction = world.log.database().begin(TENANT).await.unwrap();
    for change in CHANGES {
        transaction.execute("savepoint before").await.unwrap();
        assert_eq!(
            refusal(&mut transaction, change).await,
            "42501",
            "grant: {change}"
        );
        transaction.execute("rollback to savepoint before").await.unwrap();
    }
}

#[tokio::test]
async fn without_a_tenant_there_is_an_error_and_no_answer() {
    let world = World::new().await;
    let mut connection = world.test.superuser().await;
    connection.execute("set role hibachi_app").await.unwrap();
    for table in [
        "organisations",
        "log_head",
        "events",
        "log_blocks",
        "commands",
        "subject_keys",
    ] {
        let error = connection
            .execute(AssertSqlSafe(format!("select from {table}")))
            .await;
        assert!(error.is_err(), "{table} answers without a tenant");
    }
    assert_eq!(refusal(&mut connection, "select from events").await, "42704");
}

#[tokio::test]
async fn another_tenant_sees_and_writes_nothing_of_ours() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    assert_eq!(
        world
            .log
            .read(OTHER_TENANT, super::at(0), 10, None)
            .await
            .unwrap(),
        []
    );
    let mut transaction = world.log.database().begin(OTHER_TENANT).await.unwrap();
    for table in ["events", "log_blocks", "commands"] {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
    let foreign =
        "insert into claims_unique values ('00000000-0000-0000-0000-000000001001', 's', 'k', 'h', 'i')";
    assert_eq!(refusal(&mut transaction, foreign).await, "42501");
}

#[tokio::test]
async fn every_table_forces_row_level_security_and_has_a_policy() {
    let test = TestDatabase::new().await;
    let open: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
             and c.relname <> '_sqlx_migrations'
             and not (
                 c.relrowsecurity and c.relforcerowsecurity
                 and exists (select from pg_policy p where p.polrelid = c.oid)
             )",
    )
    .fetch_all(&mut test.superuser().await)
    .await
    .unwrap();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn the_tenant_leads_every_key() {
    let test = TestDatabase::new().await;
    let mut others: Vec<String> = sqlx::query_scalar(
        "select k.conname from (
             select conname::text, conrelid, conkey[1] as leader from pg_constraint where contype in ('p', 'u', 'x', 'f')
             union
             select indexrelid::regclass::text, indrelid, indkey[0] from pg_index where indisunique or indisexclusion
         ) k
         join pg_class c on c.oid = k.conrelid
         join pg_namespace n on n.oid = c.relnamespace
         left join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.leader
         where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
             and c.relname <> '_sqlx_migrations' and a.attname is distinct from 'tenant_id'
         order by 1",
    )
    .fetch_all(&mut test.superuser().await)
    .await
    .unwrap();
    // The slug is how a tenant is found before it is known: the one key across tenants.
    others.retain(|key| key != "organisations_slug_key");
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn an_owner_who_is_no_superuser_migrates_and_serves() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let name: String = sqlx::query_scalar("select current_database()")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    let owner = format!("owner_of_{name}");
    superuser
        .execute(AssertSqlSafe(format!(
            "create role {owner} login password 'secret' in role hibachi_app;
             drop schema public cascade; create schema public authorization {owner};
             grant create on database {name} to {owner}"
        )))
        .await
        .unwrap();
    let options = test.superuser_options().username(&owner).password("secret");
    migrations::migrate(options.clone()).await.unwrap();
    let database = Database::connect(options.clone(), 2).await.unwrap();
    database
        .create_organisation(TENANT, "one", "Company")
        .await
        .unwrap();
    let found = database.organisation_by_slug("one").await.unwrap().unwrap();
    assert_eq!((found.tenant, found.name.as_str()), (TENANT, "Company"));
    assert_eq!(database.organisations().await.unwrap(), [found]);
    let mut as_owner = options.connect().await.unwrap();
    assert!(
        as_owner.execute("select from events").await.is_err(),
        "the owner needs a tenant too"
    );
    drop(as_owner);
    database.close().await;
    superuser
        .execute(AssertSqlSafe(format!(
            "drop owned by {owner} cascade; drop role {owner}"
        )))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_organisation_is_entered_once_under_one_slug() {
    let world = World::new().await;
    let database = world.log.database();
    database
        .create_organisation(TENANT, "one", "Another name")
        .await
        .unwrap();
    assert_eq!(
        database.create_organisation(TENANT, "two", "Company").await,
        Err(LogError::OtherSlug {
            slug: "one".to_owned()
        })
    );
    let third = domain::ids::TenantId(uuid::Uuid::from_u128(0x1003));
    assert_eq!(
        database.create_organisation(third, "two", "Company").await,
        Err(LogError::SlugTaken {
            slug: "two".to_owned()
        })
    );
    assert_eq!(world.log.head(third).await, Err(LogError::UnknownTenant(third)));
    let slugs: Vec<String> = database
        .organisations()
        .await
        .unwrap()
        .into_iter()
        .map(|organisation| organisation.slug)
        .collect();
    assert_eq!(slugs, ["one", "two"]);
    assert_eq!(database.organisation_by_slug("three").await.unwrap(), None);
}

#[tokio::test]
async fn a_transaction_that_was_begun_and_dropped_leaves_no_tenant_behind() {
    let test = TestDatabase::new().await;
    let database = Database::connect(test.superuser_options(), 1).await.unwrap();
    drop(database.begin(TENANT).await.unwrap());
    database.ping().await.unwrap();
    assert_eq!(database.organisations().await.unwrap(), []);
}
