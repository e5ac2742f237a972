//! Who owns what and may do what, read from the catalog: whatever a migration adds is held to it.

use sqlx::postgres::PgConnection;
use tests::database::TestDatabase;

/// Tables of the log that are only ever added to, by the application too.
const NEVER_CHANGED: [&str; 3] = ["events", "log_blocks", "signed_heads"];

/// The functions that run as their owner, past the caller's rights, and why they must.
const AS_THE_OWNER: [(&str, &str); 16] = [
    (
        "organisation_by_slug",
        "finds a tenant by its slug before it is known which one it is",
    ),
    (
        "list_organisations",
        "names the tenants that workers and the command line go through",
    ),
    (
        "log_heads",
        "tells the workers how long each tenant's log is, and nothing of what is in it",
    ),
    (
        "policies_behind",
        "names the tenants that the policies have something to do for, and not what",
    ),
    (
        "jobs_due",
        "names the tenants that have a job to do, and not what",
    ),
    (
        "job_schedules_due",
        "names the tenants for which something recurs at the moment, and not what",
    ),
    (
        "projection_health",
        "sums up for the metrics how the read models of all tenants are, and nothing of what is in them",
    ),
    (
        "job_health",
        "sums up for the metrics how the queues of all tenants are, and nothing of what is in them",
    ),
    (
        "policy_health",
        "sums up for the metrics how far the policies of all tenants have come, and nothing of what they look at",
    ),
    (
        "begin_import",
        "begins an import, which is marked in a table that the application may not write",
    ),
    (
        "import_events",
        "counts what an import has written, in that table; so do the next four",
    ),
    ("import_blocks", "as import_events"),
    ("import_commands", "as import_events"),
    ("import_claims", "as import_events"),
    ("import_subject_keys", "as import_events"),
    ("finish_import", "marks an import as finished, in that table"),
];

/// What the application may do with a table at most.
const RIGHTS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// The one condition of every policy, asked for each row or once for a statement. Without missing_ok: an unset tenant
/// is an error.
const CONDITIONS: [&str; 2] = [
    "(tenant_id = (current_setting('hibachi.tenant'::text))::uuid)",
    "(tenant_id = ( SELECT (current_setting('hibachi.tenant'::text))::uuid AS current_setting))",
];

async fn rows(connection: &mut PgConnection, sql: &'static str) -> Vec<(String, String)> {
    sqlx::query_as(sql)
        .fetch_all(connection)
        .await
        .expect("the catalog can be read")
}

#[tokio::test]
async fn the_applications_role_is_nobody_special_and_owns_nothing() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let special = rows(
        &mut superuser,
        "select rolname::text, concat_ws(' ', rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication)
         from pg_roles where rolname = 'hibachi_app'",
    )
    .await;
    assert_eq!(special, [("hibachi_app".to_owned(), "f f f f f".to_owned())]);
    let owned = rows(
        &mut superuser,
        "select classid::regclass::text, objid::text from pg_shdepend
         where deptype = 'o' and refobjid = 'hibachi_app'::regrole",
    )
    .await;
    assert_eq!(owned, []);
    let member_of = rows(
        &mut superuser,
        "select roleid::regrole::text, '' from pg_auth_members where member = 'hibachi_app'::regrole",
    )
    .await;
    assert_eq!(member_of, [], "it has nobody else's rights");
    let may_create: bool = sqlx::query_scalar(
        "select has_schema_privilege('hibachi_app', 'public', 'create')
             or has_database_privilege('hibachi_app', current_database(), 'create')",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    assert!(!may_create);
}

#[tokio::test]
async fn the_application_may_do_what_is_granted_and_the_public_nothing() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let granted = rows(
        &mut superuser,
        "select c.relname::text, a.privilege_type || ' to ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         cross join lateral aclexplode(c.relacl) a
         where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^(pg_|information_schema)'
             and a.grantee <> c.relowner",
    )
    .await;
    assert!(!granted.is_empty());
    for (table, grant) in granted {
        let right = grant.strip_suffix(" to hibachi_app");
        let right = right.unwrap_or_else(|| panic!("{table}: {grant}"));
        assert!(RIGHTS.contains(&right), "{table}: {grant}");
        if NEVER_CHANGED.contains(&table.as_str()) {
            assert!(["SELECT", "INSERT"].contains(&right), "{table}: {grant}");
        }
    }
    let by_column = rows(
        &mut superuser,
        "select c.attrelid::regclass::text,
             a.privilege_type || ' to ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
         from pg_attribute c cross join lateral aclexplode(c.attacl) a
         where c.attacl is not null and c.attrelid >= 16384",
    )
    .await;
    for (table, grant) in by_column {
        assert_eq!(grant, "UPDATE to hibachi_app", "{table}");
        assert!(!NEVER_CHANGED.contains(&table.as_str()), "{table}: {grant}");
    }
    let by_default = rows(
        &mut superuser,
        "select defaclrole::regrole::text, defaclacl::text from pg_default_acl",
    )
    .await;
    assert_eq!(by_default, [], "no rights come by themselves");
    let watched = rows(
        &mut superuser,
        // Before each statement that deletes, updates or truncates.
        "select tgrelid::regclass::text, tgname::text from pg_trigger
         where tgtype = 2 + 8 + 16 + 32 and tgenabled in ('O', 'A') and tgfoid = 'refuse_change'::regproc",
    )
    .await;
    for table in NEVER_CHANGED {
        let is_watched = watched.iter().any(|(name, _)| name == table);
        assert!(is_watched, "a trigger refuses the owner of {table} too");
    }
}

#[tokio::test]
async fn every_policy_is_the_tenants_and_there_is_no_other_way_round_it() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let policies = rows(
        &mut superuser,
        "select c.relname::text, concat_ws(
             ' ', p.polname, p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), 'check',
             pg_get_expr(p.polwithcheck, p.polrelid)
         )
         from pg_policy p join pg_class c on c.oid = p.polrelid
         where not (
             c.relname in (
                 'organisations', 'log_head', 'projection_checkpoints', 'projection_parked', 'projection_checks',
                 'policy_checkpoints', 'policy_states', 'policy_waiting', 'jobs', 'job_schedules'
             )
             and p.polname = 'directory'
         )",
    )
    .await;
    assert!(policies.len() > 20, "{policies:?}");
    for (table, policy) in policies {
        let is_the_tenants = CONDITIONS
            .iter()
            .any(|condition| policy == format!("tenant * t {condition} check"));
        assert!(is_the_tenants, "{table}: {policy}");
    }
    // The directory is the owner's, whom the functions below run as.
    let directory: Vec<(String, bool)> = sqlx::query_as(
        "select polcmd::text, 'hibachi_app'::regrole = any(polroles) or 0::oid = any(polroles)
         from pg_policy where polname = 'directory'",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert_eq!(directory, vec![("r".to_owned(), false); 10]);
    let views = rows(
        &mut superuser,
        "select c.relname::text, c.relkind::text from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema)'",
    )
    .await;
    assert_eq!(views, [], "a view would be read with its owner's rights");
}

#[tokio::test]
async fn only_the_directory_runs_as_the_owner() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let mut as_the_owner = rows(
        &mut superuser,
        "select p.proname::text, concat_ws(
             ' ', coalesce(array_to_string(p.proconfig, ' '), ''), has_function_privilege('hibachi_app', p.oid, 'execute'),
             exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
         )
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prosecdef and n.nspname !~ '^(pg_|information_schema)'
             and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
    )
    .await;
    as_the_owner.sort();
    let mut expected: Vec<(String, String)> = AS_THE_OWNER
        .iter()
        .map(|(name, _)| {
            // A fixed search path; for the application, and for nobody else.
            ((*name).to_owned(), "search_path=public, pg_temp t f".to_owned())
        })
        .collect();
    expected.sort();
    assert_eq!(as_the_owner, expected);
}

#[tokio::test]
async fn every_row_says_whose_it_is() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    let without = rows(
        &mut superuser,
        "select c.relname::text, coalesce(a.atttypid::regtype::text, 'no tenant_id') from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
             and c.relname <> '_sqlx_migrations'
             and not coalesce(a.attnotnull and a.atttypid = 'uuid'::regtype, false)",
    )
    .await;
    assert_eq!(without, []);
    let without_key = rows(
        &mut superuser,
        "select c.relname::text, '' from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
             and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')",
    )
    .await;
    assert_eq!(without_key, [], "tables without a primary key");
    let references_another = rows(
        &mut superuser,
        "select k.conname::text, a.attname::text from pg_constraint k
         join pg_attribute a on a.attrelid = k.confrelid and a.attnum = k.confkey[1]
         where k.contype = 'f' and a.attname <> 'tenant_id'",
    )
    .await;
    assert_eq!(references_another, [], "a reference stays within its tenant");
}
