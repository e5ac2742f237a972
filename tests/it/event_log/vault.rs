//! Personal data: sealed, opened, erased.

use std::sync::Arc;

use domain::envelope::Sealed;
use domain::ids::SubjectId;
use event_log::{LogError, MasterKey, Opened, SealedField, SystemEntropy, Vault};
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, stream};

const PERSON: SubjectId = SubjectId(Uuid::from_u128(7));
const OTHER_PERSON: SubjectId = SubjectId(Uuid::from_u128(8));

async fn vault(world: &World) -> Vault {
    Vault::new(
        world.test.database().await,
        MasterKey::new([1; 32]),
        Arc::new(SystemEntropy),
    )
}

fn text(value: &str) -> Opened {
    Opened::Text(value.to_owned())
}

#[tokio::test]
async fn a_sealed_value_opens_until_its_person_is_erased() {
    let world = World::new().await;
    let vault = vault(&world).await;
    let name = vault
        .seal(TENANT, PERSON, &stream("a"), "name", "Zoë")
        .await
        .unwrap();
    let phone = vault
        .seal(TENANT, OTHER_PERSON, &stream("a"), "phone", "")
        .await
        .unwrap();
    assert!(!name.sealed.contains("Zo"));
    let fresh = self::vault(&world).await;
    assert_eq!(
        fresh.open(TENANT, &stream("a"), "name", &name).await.unwrap(),
        text("Zoë")
    );
    assert!(vault.erase(TENANT, PERSON).await.unwrap());
    assert!(!vault.erase(TENANT, PERSON).await.unwrap());
    let a = stream("a");
    let fields = [
        SealedField {
            stream: &a,
            field: "phone",
            sealed: &phone,
        },
        SealedField {
            stream: &a,
            field: "name",
            sealed: &name,
        },
    ];
    assert_eq!(
        vault.open_many(TENANT, &fields).await.unwrap(),
        [text(""), Opened::Erased]
    );
    let later = vault.seal(TENANT, PERSON, &a, "name", "Zoë again").await.unwrap();
    assert_eq!(
        vault.open(TENANT, &a, "name", &name).await.unwrap(),
        Opened::Erased
    );
    assert_eq!(
        vault.open(TENANT, &a, "name", &later).await.unwrap(),
        text("Zoë again")
    );
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
    let cut = Sealed {
        subject: PERSON,
        sealed: "AAAA".to_owned(),
    };
    assert_eq!(vault.open(TENANT, &stream("a"), "name", &cut).await, refused);
    let other_master = Vault::new(
        world.test.database().await,
        MasterKey::new([2; 32]),
        Arc::new(SystemEntropy),
    );
    assert_eq!(
        other_master.open(TENANT, &stream("a"), "name", &sealed).await,
        refused
    );
}

#[tokio::test]
async fn keyed_hashes_differ_by_tenant_scope_and_value() {
    let world = World::new().await;
    let vault = vault(&world).await;
    let key = vault.index_key(TENANT, "customer.email", "zoe@example.com");
    assert_eq!(key, vault.index_key(TENANT, "customer.email", "zoe@example.com"));
    assert_ne!(
        key,
        vault.index_key(OTHER_TENANT, "customer.email", "zoe@example.com")
    );
    assert_ne!(key, vault.index_key(TENANT, "customer.phone", "zoe@example.com"));
    assert_eq!(key.len(), 64);
    assert_eq!(vault.digest(TENANT, "{}"), vault.digest(TENANT, "{}"));
    assert_ne!(vault.digest(TENANT, "{}"), vault.digest(OTHER_TENANT, "{}"));
    assert_eq!(format!("{:?}", MasterKey::new([1; 32])), "MasterKey(…)");
}
