use chrono::Duration;
use uuid::Uuid;

use super::*;
use crate::access::Permission;
use crate::decider::{Event, Refusal};
use crate::envelope::Sealed;
use crate::ids::{SubjectId, UserId};

const KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(9));

fn now() -> DateTime<Utc> {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn created(role: Role) -> UserCreated {
    UserCreated {
        email: Sealed {
            subject: SubjectId(Uuid::nil()),
            sealed: "sealed".to_owned(),
        },
        email_key: "a1".to_owned(),
        role,
        stations: StationScope::All,
    }
}

fn of(role: Role) -> User {
    after(User::default(), UserCommand::Create(created(role)))
}

fn after(mut user: User, command: UserCommand) -> User {
    for event in user.decide(command).unwrap() {
        user.evolve(&event);
    }
    user
}

fn role(role: Role, by: u128) -> UserCommand {
    UserCommand::ChangeRole {
        role,
        stations: StationScope::All,
        by: Some(user(by)),
        of: user(1),
        now: now(),
    }
}

fn deactivate(by: u128, reason: &str) -> UserCommand {
    UserCommand::Deactivate {
        reason: reason.to_owned(),
        by: Some(user(by)),
        of: user(1),
        now: now(),
    }
}

fn ask(permissions: &[Permission]) -> ApiKeyAsk {
    ApiKeyAsk {
        key_id: KEY,
        name: " till ".to_owned(),
        secret_hash: "h".to_owned(),
        ends_with: "wxyz".to_owned(),
        permissions: permissions.to_vec(),
        expires_at: Some(now() + Duration::days(1)),
        now: now(),
    }
}

#[test]
fn a_user_is_created_once_and_takes_the_address() {
    let create = UserCommand::Create(created(Role::Admin));
    let events = User::default().decide(create.clone()).unwrap();
    assert_eq!(events[0].claims().len(), 1);
    assert_eq!(of(Role::Admin).decide(create), Err(UserError::Exists));
}

#[test]
fn another_changes_a_role_and_nobody_the_own() {
    let chef = of(Role::Chef);
    assert_eq!(chef.decide(role(Role::SuperAdmin, 1)), Err(UserError::OwnUser));
    assert_eq!(chef.decide(role(Role::Chef, 2)), Err(UserError::Unchanged));
    assert_eq!(
        User::default().decide(role(Role::Chef, 2)),
        Err(UserError::NotFound)
    );
    let manager = after(chef, role(Role::StationManager, 2));
    assert_eq!(manager.created().unwrap().role, Role::StationManager);
}

#[test]
fn who_is_deactivated_is_not_active_until_reactivated() {
    let admin = of(Role::Admin);
    assert_eq!(admin.decide(deactivate(1, "leaves us")), Err(UserError::OwnUser));
    assert_eq!(admin.decide(deactivate(2, " x ")), Err(UserError::BadReason));
    let back = UserCommand::Reactivate { now: now() };
    assert_eq!(admin.decide(back.clone()), Err(UserError::Unchanged));
    let gone = after(admin, deactivate(2, "leaves us"));
    assert_eq!(
        (gone.active(), gone.created().map(|user| user.role)),
        (None, Some(Role::Admin))
    );
    assert_eq!(
        gone.decide(deactivate(2, "leaves us")),
        Err(UserError::Deactivated)
    );
    assert_eq!(gone.decide(role(Role::Chef, 2)), Err(UserError::Deactivated));
    let asked = UserCommand::CreateApiKey(ask(&[Permission::TaxRead]));
    assert_eq!(gone.decide(asked), Err(UserError::Deactivated));
    assert!(after(gone, back).active().is_some());
}

#[test]
fn a_key_is_for_no_more_than_its_owner_may_and_never_for_users_or_keys() {
    let accountant = of(Role::Accountant);
    let code = |permissions: &[Permission]| {
        let refused = accountant.decide(UserCommand::CreateApiKey(ask(permissions)));
        refused
            .map_err(|error| (error.code(), error.field()))
            .unwrap_err()
    };
    assert_eq!(code(&[]), ("SCOPES_REQUIRED", &["scopes"][..]));
    assert_eq!(
        code(&[Permission::BookingWrite]),
        ("SCOPE_BEYOND_ROLE", &["scopes"][..])
    );
    let owner = of(Role::SuperAdmin);
    for permission in [Permission::UserWrite, Permission::ApiKeyWrite] {
        assert_eq!(
            owner.decide(UserCommand::CreateApiKey(ask(&[permission]))),
            Err(UserError::ScopeBeyondRole(permission))
        );
    }
    let kept = after(
        accountant,
        UserCommand::CreateApiKey(ask(&[
            Permission::TaxRead,
            Permission::MoneyRead,
            Permission::TaxRead,
        ])),
    );
    let usable = kept.usable_key("h", now()).unwrap();
    assert_eq!(usable.key.name, "till");
    assert_eq!(
        usable.key.permissions,
        [Permission::MoneyRead, Permission::TaxRead]
    );
}

#[test]
fn a_key_is_good_until_it_expires_is_revoked_or_its_owner_goes() {
    let owner = after(
        of(Role::Accountant),
        UserCommand::CreateApiKey(ask(&[Permission::TaxRead])),
    );
    assert!(owner.usable_key("other", now()).is_none());
    let end = now() + Duration::days(1);
    assert!(owner.usable_key("h", end - Duration::seconds(1)).is_some());
    assert!(owner.usable_key("h", end).is_none());
    let revoke = |key_id, reason: &str| UserCommand::RevokeApiKey {
        key_id,
        reason: reason.to_owned(),
        now: now(),
    };
    let another = ApiKeyId(Uuid::nil());
    assert_eq!(
        owner.decide(revoke(another, "leaked")),
        Err(UserError::KeyNotFound)
    );
    assert_eq!(owner.decide(revoke(KEY, "")), Err(UserError::BadReason));
    let gone = after(owner.clone(), deactivate(2, "leaves us"));
    assert!(gone.usable_key("h", now()).is_none());
    let revoked = after(owner, revoke(KEY, "leaked"));
    assert!(revoked.usable_key("h", now()).is_none());
    assert_eq!(revoked.decide(revoke(KEY, "leaked")), Err(UserError::KeyRevoked));
}

#[test]
fn a_key_has_a_name_and_an_end_that_can_be_and_there_are_not_too_many() {
    let mut owner = of(Role::Accountant);
    let asked = |change: fn(&mut ApiKeyAsk)| {
        let mut asked = ask(&[Permission::TaxRead]);
        change(&mut asked);
        UserCommand::CreateApiKey(asked)
    };
    let nameless = asked(|ask| ask.name = "  ".to_owned());
    assert_eq!(owner.decide(nameless), Err(UserError::BadKeyName));
    for bad in [
        asked(|ask| ask.expires_at = Some(now())),
        asked(|ask| ask.expires_at = Some(now() + Duration::days(LONGEST_LIFE_DAYS + 1))),
    ] {
        assert_eq!(owner.decide(bad), Err(UserError::BadExpiry));
    }
    for _ in 0..MOST_KEYS {
        owner = after(owner, asked(|ask| ask.expires_at = None));
    }
    assert_eq!(owner.decide(asked(|_| {})), Err(UserError::TooManyKeys));
}

#[test]
fn who_is_locked_out_is_let_in_again_before_the_time_is_over() {
    let unlock = |at| UserCommand::Unlock { now: at };
    let admin = of(Role::Admin);
    assert_eq!(admin.decide(unlock(now())), Err(UserError::NotLocked));
    let until = now() + Duration::minutes(LOCK_OUT_MINS);
    let locked = after(
        admin,
        UserCommand::Note(UserNote::LockedOut(UserLockedOut {
            failures: GUESSES,
            until,
            locked_at: now(),
        })),
    );
    assert_eq!(locked.decide(unlock(until)), Err(UserError::NotLocked));
    let free = after(locked, unlock(now()));
    assert_eq!(free.decide(unlock(now())), Err(UserError::NotLocked));
}

#[test]
fn of_nobody_nothing_is_noted() {
    let note = UserNote::SecondFactorEnabled(SecondFactorEnabled { enabled_at: now() });
    let refused = User::default().decide(UserCommand::Note(note)).unwrap_err();
    assert_eq!((refused.code(), refused.field()), ("NOT_FOUND", &["userId"][..]));
}
