//! People who sign in, and the keys with which programs act for them.

use domain::access::StationScope;
use domain::organisation::{FeatureFlagSet, SecondFactorRule, SecondFactorRuleSet};
use domain::user::{
    ApiKeyCreated, PasswordChange, SecondFactorEnd, SessionEnd, UserEvent, UserRoleChanged, UserStatus,
};

use super::super::description::{Description, Told, instant, percent};

pub(super) fn describe_user(event: &UserEvent) -> Description {
    let say = |sentence: String| Description::of(sentence);
    match event {
        UserEvent::Created(created) => {
            let (role, stations) = (created.role.as_str(), stations(&created.stations));
            say(format!("User created with the role {role} for {stations}"))
                .set("role", role)
                .set("stations", stations)
                .redacted()
        }
        UserEvent::RoleChanged(changed) => describe_role(changed),
        UserEvent::Deactivated(gone) => say("User may sign in no more".to_owned())
            .because(Some(&gone.reason))
            .changed(
                "status",
                Some(status(UserStatus::Active)),
                status(UserStatus::Deactivated),
            ),
        UserEvent::Reactivated(_) => say("User may sign in again".to_owned()).changed(
            "status",
            Some(status(UserStatus::Deactivated)),
            status(UserStatus::Active),
        ),
        UserEvent::PasswordChanged(changed) => say(match changed.how {
            PasswordChange::Own => "User chose another password".to_owned(),
            PasswordChange::Reset => "User given another password".to_owned(),
        }),
        UserEvent::LockedOut(locked) => say(format!(
            "User locked out until {} after {} wrong guesses",
            instant(locked.until),
            locked.failures
        ))
        .set("locked_until", locked.until),
        UserEvent::Unlocked(_) => say("User let in again before the lock-out was over".to_owned()),
        UserEvent::SecondFactorEnabled(_) => {
            say("User signs in with a second factor".to_owned()).changed("second_factor", Some(false), true)
        }
        UserEvent::SecondFactorDisabled(ended) => say(match ended.how {
            SecondFactorEnd::Own => "User gave the second factor up".to_owned(),
            SecondFactorEnd::Reset => "User's second factor taken away".to_owned(),
        })
        .changed("second_factor", Some(true), false),
        UserEvent::RecoveryCodesIssued(issued) => say(format!(
            "User got {} recovery codes; those before are void",
            issued.count
        )),
        UserEvent::RecoveryCodeUsed(used) => say(format!(
            "User signed in with a recovery code; {} are left",
            used.left
        )),
        UserEvent::SessionRevoked(revoked) => say(match revoked.because {
            SessionEnd::Revoked => "A sign-in of the user ended from elsewhere".to_owned(),
            SessionEnd::TokenReused => {
                "A sign-in of the user ended: a refresh token that had been used came again".to_owned()
            }
        }),
        UserEvent::ApiKeyCreated(created) => describe_key(created),
        UserEvent::ApiKeyRevoked(revoked) => say(format!("Key {} revoked", revoked.name))
            .because(Some(&revoked.reason))
            .gone("api_keys", revoked.key_id.to_string()),
    }
}

fn describe_role(changed: &UserRoleChanged) -> Description {
    let (role, reach) = (changed.role.as_str(), stations(&changed.stations));
    let mut described = Description::of(format!("User has the role {role} for {reach}"));
    if changed.before_role != changed.role {
        described = described.changed("role", Some(changed.before_role.as_str()), role);
    }
    if changed.before_stations != changed.stations {
        described = described.changed("stations", Some(stations(&changed.before_stations)), reach);
    }
    described
}

fn describe_key(created: &ApiKeyCreated) -> Description {
    let scopes: Vec<&str> = created.permissions.iter().map(|may| may.as_str()).collect();
    let described = Description::of(format!(
        "Key {} (…{}) made for {}",
        created.name,
        created.ends_with,
        scopes.join(", ")
    ))
    .set("api_keys", created.key_id.to_string());
    match created.expires_at {
        Some(end) => described.set("expires_at", end),
        None => described,
    }
}

pub(super) fn describe_rule(set: &SecondFactorRuleSet) -> Description {
    Description::of(match set.rule {
        SecondFactorRule::Optional => "A second factor is needed by nobody to sign in".to_owned(),
        SecondFactorRule::Demanded => {
            "A second factor is needed by SUPER_ADMIN, ADMIN and ACCOUNTANT to sign in".to_owned()
        }
    })
    .changed("second_factor_rule", Some(set.before.as_str()), set.rule.as_str())
}

pub(super) fn describe_flag(set: &FeatureFlagSet) -> Description {
    let (flag, share) = (&set.flag, percent(set.share_ppm));
    Description::of(format!("The share for which {flag} is in was set to {share}"))
        .because(Some(&set.reason))
        .changed(&format!("flags.{flag}"), Some(set.before_ppm), set.share_ppm)
}

fn stations(scope: &StationScope) -> String {
    match scope.only() {
        None => "all stations".to_owned(),
        Some(stations) => format!("{} stations", stations.len()),
    }
}

fn status(status: UserStatus) -> Told {
    Told::status(status.as_str())
}
