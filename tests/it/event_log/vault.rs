//! Personal data: sealed, opened, erased, and kept through a change of the master key.

use std::sync::{Arc, Mutex};

use domain::envelope::Sealed;
use domain::ids::{SubjectId, TenantId};
use event_log::{
    KeyRing, LogError, MasterKey, MasterKeys, Opened, SealedField, SubjectKey, SystemEntropy, Vault,
    sealed_under,
};
use sqlx::Executor;
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, stream};

const PERSON: SubjectId = SubjectId(Uuid::from_u128(7));
const OTHER_PERSON: SubjectId = SubjectId(Uuid::from_u128(8));

/// Master keys that are changed while programs use them, as files are.
#[derive(Clone)]
struct Keys(Arc<Mutex<Vec<u8>>>);

impl Keys {
    /// Keys of these bytes, the newest first.
    fn of(bytes: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(bytes.to_vec())))
    }

    fn set(&self, bytes: &[u8]) {
        *self.0.lock().expect("nobody panicked") = bytes.to_vec();
    }
}

impl MasterKeys for Keys {
    fn read(&self) -> Result<KeyRing, String> {
        let bytes = self.0.lock().expect("nobody panicked").clone();
        let mut keys = bytes.into_iter().map(|byte| MasterKey::new([byte; 32]));
        let newest = keys.next().ok_or("there is no key")?;
        Ok(KeyRing::new(newest, keys))
    }
}

async fn vault_with(world: &World, keys: impl MasterKeys + 'static) -> Vault {
    Vault::new(world.test.database().await, keys, Arc::new(SystemEntropy))
}

async fn vault(world: &World) -> Vault {
    vault_with(world, MasterKey::new([1; 32])).await
}

/// Destroys keys as an append does.
async fn erase(world: &World, subjects: &[SubjectId]) {
    let mut transaction = world
        .log
        .database()
        .begin(TENANT)
        .await
        .expect("the database answers");
    let subjects: Vec<Uuid> = subjects.iter().map(|subject| subject.0).collect();
    sqlx::query("select destroy_subject_keys($1, $2, clock_timestamp())")
        .bind(TENANT.0)
        .bind(subjects)
        .execute(&mut *transaction)
        .await
        .expect("the vault answers");
    transaction.commit().await.expect("the vault answers");
}

fn text(value: &str) -> Opened {
    Opened::Text(value.to_owned())
}

#[tokio::test]
async fn a_sealed_value_opens_until_its_person_is_erased() {
    let world = World::new().await;
    let vault = vault(&world).await;
    let a = stream("a");
    let name = vault.seal(TENANT, PERSON, &a, "name", "Zoë").await.unwrap();
    let phone = vault.seal(TENANT, OTHER_PERSON, &a, "phone", "").await.unwrap();
    assert!(!name.sealed.contains("Zoë"));
    let fresh = self::vault(&world).await;
    assert_eq!(fresh.open(TENANT, &a, "name", &name).await.unwrap(), text("Zoë"));
    assert_eq!(
        vault.subject_keys(TENANT, &[PERSON]).await.unwrap()[&PERSON],
        SubjectKey::Living(sealed_under(&name).unwrap())
    );
    erase(&world, &[PERSON]).await;
    erase(&world, &[PERSON]).await;
    let fields = [("phone", &phone), ("name", &name)].map(|(field, sealed)| SealedField {
        stream: &a,
        field,
        sealed,
    });
    assert_eq!(
        vault.open_many(TENANT, &fields).await.unwrap(),
        [text(""), Opened::Erased]
    );
    let keys = vault
        .subject_keys(TENANT, &[PERSON, SubjectId(Uuid::max())])
        .await
        .unwrap();
    assert_eq!(keys.len(), 1);
    assert!(matches!(keys[&PERSON], SubjectKey::Destroyed { .. }));
}

#[tokio::test]
async fn what_one_program_erases_no_other_opens_or_seals_for_from_that_moment() {
    let world = World::new().await;
    let (one, two) = (vault(&world).await, vault(&world).await);
    let a = stream("a");
    let name = one.seal(TENANT, PERSON, &a, "name", "Zoë").await.unwrap();
    assert_eq!(two.open(TENANT, &a, "name", &name).await.unwrap(), text("Zoë"));
    erase(&world, &[PERSON, OTHER_PERSON]).await;
    for vault in [&one, &two] {
        assert_eq!(
            vault.open(TENANT, &a, "name", &name).await.unwrap(),
            Opened::Erased
        );
        for person in [PERSON, OTHER_PERSON] {
            let sealed = vault.seal(TENANT, person, &a, "name", "Zoë again").await;
            assert_eq!(sealed, Err(LogError::Erased(person)));
        }
    }
    assert!(
        two.seal(OTHER_TENANT, PERSON, &a, "name", "another's Zoë")
            .await
            .is_ok(),
        "another company's person of the same id lives on"
    );
}

#[tokio::test]
async fn nobody_brings_a_destroyed_key_back() {
    let world = World::new().await;
    vault(&world).await.sealer(TENANT, OTHER_PERSON).await.unwrap();
    erase(&world, &[PERSON]).await;
    let mut superuser = world.test.superuser().await;
    for change in [
        "update subject_keys set erased_at = null, wrapped_key = '\\x01' where erased_at is not null",
        "update subject_keys set erased_at = clock_timestamp()",
        "update subject_keys set wrapped_key = null where erased_at is null",
        "insert into subject_keys (tenant_id, subject_id) select tenant_id, gen_random_uuid() from subject_keys",
        "delete from subject_keys",
        "truncate subject_keys",
    ] {
        assert!(superuser.execute(change).await.is_err(), "{change}");
    }
    let mut application = world.log.database().begin(TENANT).await.unwrap();
    for change in [
        "delete from subject_keys",
        "update subject_keys set subject_id = gen_random_uuid()",
        "delete from tenant_keys",
    ] {
        application.execute("savepoint before").await.unwrap();
        let refused = application.execute(change).await.unwrap_err();
        let code = refused.as_database_error().and_then(|refusal| refusal.code());
        assert_eq!(code.as_deref(), Some("42501"), "{change}");
        application.execute("rollback to savepoint before").await.unwrap();
    }
}

#[tokio::test]
async fn a_sealed_value_opens_nowhere_else() {
    let world = World::new().await;
    let vault = vault(&world).await;
    let sealed = vault
        .seal(TENANT, PERSON, &stream("a"), "name", "Zoë")
        .await
        .unwrap();
    let refused = Err(LogError::Unopenable);
    assert_eq!(vault.open(TENANT, &stream("b"), "name", &sealed).await, refused);
    assert_eq!(vault.open(TENANT, &stream("a"), "phone", &sealed).await, refused);
    assert_eq!(
        vault.open(OTHER_TENANT, &stream("a"), "name", &sealed).await,
        Ok(Opened::Erased),
        "another tenant has no key of the person"
    );
    for altered in ["AAAA", "AAAAAAAAAAAAAAAA", "!"] {
        let altered = Sealed {
            subject: PERSON,
            sealed: altered.to_owned(),
        };
        assert_eq!(vault.open(TENANT, &stream("a"), "name", &altered).await, refused);
    }
    let other_master = vault_with(&world, MasterKey::new([2; 32])).await;
    assert_eq!(
        other_master.open(TENANT, &stream("a"), "name", &sealed).await,
        Err(LogError::MasterKeyMissing(MasterKey::new([1; 32]).id()))
    );
}

#[tokio::test]
async fn many_who_seal_for_a_new_person_at_once_use_one_key() {
    let world = World::new().await;
    let a = stream("a");
    let mut vaults = Vec::new();
    for _ in 0..4 {
        vaults.push(vault(&world).await);
    }
    let sealing = vaults
        .iter()
        .map(|vault| vault.seal(TENANT, PERSON, &a, "name", "Zoë"));
    for sealed in futures::future::join_all(sealing).await {
        let opened = vaults[0].open(TENANT, &a, "name", &sealed.unwrap()).await;
        assert_eq!(opened.unwrap(), text("Zoë"));
    }
}

#[tokio::test]
async fn keyed_hashes_differ_by_tenant_scope_and_value() {
    let world = World::new().await;
    let vault = vault(&world).await;
    let key = async |tenant, scope| vault.index_key(tenant, scope, "zoe@example.com").await.unwrap();
    let digest = async |tenant| vault.digest(tenant, "{}").await.unwrap();
    let email = key(TENANT, "customer.email").await;
    assert_eq!(email, key(TENANT, "customer.email").await);
    assert_ne!(email, key(OTHER_TENANT, "customer.email").await);
    assert_ne!(email, key(TENANT, "customer.phone").await);
    assert_eq!(email.len(), 64);
    assert_eq!(digest(TENANT).await, digest(TENANT).await);
    assert_ne!(digest(TENANT).await, digest(OTHER_TENANT).await);
    let nobody = TenantId(Uuid::from_u128(0x1003));
    assert_eq!(
        vault.digest(nobody, "{}").await,
        Err(LogError::UnknownTenant(nobody))
    );
}

#[tokio::test]
async fn hashes_from_before_they_had_a_key_in_the_database_are_the_same() {
    let world = World::new().await;
    let vault = vault(&world).await;
    // As the program computed it when it derived the key each time.
    assert_eq!(
        vault
            .index_key(TENANT, "customer.email", "zoe@example.com")
            .await
            .unwrap(),
        "13e05bd2bbbb4d3aa5b486e3a1030a57ca6913f07e045d135695e6ef2741f659"
    );
}

#[test]
fn no_key_is_printed() {
    let key = MasterKey::new([1; 32]);
    assert_eq!(format!("{key:?}"), "MasterKey(…)");
    assert_eq!(
        format!("{:?}", KeyRing::from(key)),
        "KeyRing { keys: [MasterKey(…)] }"
    );
}

/// Everything that must stay as it is through a rotation.
struct Belongings {
    name: Sealed,
    index: String,
    digest: [u8; 32],
}

impl Belongings {
    async fn of(vault: &Vault) -> Self {
        Self {
            name: vault
                .seal(TENANT, PERSON, &stream("a"), "name", "Zoë")
                .await
                .expect("the vault answers"),
            index: vault
                .index_key(TENANT, "customer.email", "z@e.co")
                .await
                .expect("the vault answers"),
            digest: vault.digest(TENANT, "{}").await.expect("the vault answers"),
        }
    }

    async fn assert_kept(&self, vault: &Vault) {
        let opened = vault.open(TENANT, &stream("a"), "name", &self.name).await;
        assert_eq!(opened.expect("the vault answers"), text("Zoë"));
        let index = vault.index_key(TENANT, "customer.email", "z@e.co").await;
        assert_eq!(index.expect("the vault answers"), self.index);
        assert_eq!(
            vault.digest(TENANT, "{}").await.expect("the vault answers"),
            self.digest
        );
    }
}

#[tokio::test]
async fn values_stay_readable_through_a_rotation_and_the_old_key_opens_nothing_after_it() {
    let world = World::new().await;
    let keys = Keys::of(&[1]);
    let server = vault_with(&world, keys.clone()).await;
    let kept = Belongings::of(&server).await;
    for number in 100..120 {
        server
            .sealer(TENANT, SubjectId(Uuid::from_u128(number)))
            .await
            .unwrap();
    }
    erase(&world, &[OTHER_PERSON]).await;
    keys.set(&[2, 1]);
    kept.assert_kept(&server).await;
    // Broken off after the company's own keys and two transactions.
    let reached = Mutex::new(Vec::new());
    let rotating = vault_with(&world, keys.clone()).await;
    let watch = |keys| reached.lock().unwrap().push(keys);
    let broken_off = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        tokio::select! {
            biased;
            () = async { while reached.lock().unwrap().len() < 3 { tokio::task::yield_now().await } } => {}
            done = rotating.rewrap(TENANT, 5, &watch) => { done.unwrap(); }
        }
    });
    broken_off.await.unwrap();
    // A server that knows the old key alone follows, reads both kinds and seals under the new key.
    kept.assert_kept(&server).await;
    server
        .seal(
            TENANT,
            SubjectId(Uuid::from_u128(200)),
            &stream("a"),
            "name",
            "Ana",
        )
        .await
        .unwrap();
    let other = vault_with(&world, keys.clone()).await;
    kept.assert_kept(&other).await;
    other.rewrap(TENANT, 5, &|_| {}).await.unwrap();
    assert_eq!(other.rewrap(TENANT, 5, &|_| {}).await.unwrap(), 0);
    let newest = MasterKey::new([2; 32]).id();
    let used = other.key_use(TENANT).await.unwrap();
    assert_eq!((used.not_under(newest), used.destroyed), (0, 1));
    assert_eq!(used.subjects[&Some(newest)], 22);
    keys.set(&[2]);
    kept.assert_kept(&server).await;
    kept.assert_kept(&vault_with(&world, keys).await).await;
    let old = vault_with(&world, MasterKey::new([1; 32])).await;
    let missing = Err(LogError::MasterKeyMissing(newest));
    assert_eq!(
        old.open(TENANT, &stream("a"), "name", &kept.name).await.map(drop),
        missing
    );
    assert_eq!(old.digest(TENANT, "{}").await.map(drop), missing);
}

#[tokio::test]
async fn keys_from_before_master_keys_had_names_open_and_are_named_by_a_rotation() {
    let world = World::new().await;
    let kept = Belongings::of(&vault(&world).await).await;
    // As the program left it then: no keys of the company, and no names.
    let mut superuser = world.test.superuser().await;
    superuser
        .execute("delete from tenant_keys; update subject_keys set master_key_id = null")
        .await
        .unwrap();
    kept.assert_kept(&vault(&world).await).await;
    superuser.execute("delete from tenant_keys").await.unwrap();
    let rotating = vault_with(&world, Keys::of(&[2, 1])).await;
    kept.assert_kept(&rotating).await;
    rotating.rewrap(TENANT, 5, &|_| {}).await.unwrap();
    let newest = MasterKey::new([2; 32]).id();
    assert_eq!(rotating.key_use(TENANT).await.unwrap().not_under(newest), 0);
    kept.assert_kept(&vault_with(&world, MasterKey::new([2; 32])).await)
        .await;
}

#[tokio::test]
async fn without_master_keys_there_is_a_reason_and_no_answer() {
    let world = World::new().await;
    let vault = vault_with(&world, Keys::of(&[])).await;
    assert_eq!(
        vault.digest(TENANT, "{}").await,
        Err(LogError::MasterKeysUnreadable("there is no key".to_owned()))
    );
}
