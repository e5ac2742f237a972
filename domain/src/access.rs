//! Roles and what each may do: one table, enforced by the command and query layers, shown by the API.

mod permission;

use serde::{Deserialize, Serialize};

use crate::ids::{StationId, TenantId, UserId};

pub use permission::{ApiKeyGrant, Permission, left_by};

/// What a person of the company is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Everything, users and flags included.
    SuperAdmin,
    /// All operations of the assigned stations, but not users.
    Admin,
    /// Bookings, customers, reviews, leads, escalations, conversations; no prices, no tax.
    CustomerSupport,
    /// Bookings, chefs and schedule of the own station.
    StationManager,
    /// Own schedule; sees no money.
    Chef,
    /// Reads payments and tax, closes periods, exports.
    Accountant,
    /// Reads everything, the log included; changes nothing.
    Auditor,
}

impl Role {
    /// Every role, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::SuperAdmin,
        Self::Admin,
        Self::CustomerSupport,
        Self::StationManager,
        Self::Chef,
        Self::Accountant,
        Self::Auditor,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "SUPER_ADMIN",
            Self::Admin => "ADMIN",
            Self::CustomerSupport => "CUSTOMER_SUPPORT",
            Self::StationManager => "STATION_MANAGER",
            Self::Chef => "CHEF",
            Self::Accountant => "ACCOUNTANT",
            Self::Auditor => "AUDITOR",
        }
    }

    /// The role of a word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What the role may do.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::SuperAdmin => &Permission::ALL,
            Self::Admin => &[
                P::BookingRead,
                P::BookingWrite,
                P::CustomerRead,
                P::CustomerWrite,
                P::CustomerErase,
                P::MoneyRead,
                P::PaymentRead,
                P::PaymentWrite,
                P::PaymentRefund,
                P::PaymentVoid,
                P::PriceRead,
                P::PriceWrite,
                P::TaxRead,
                P::TaxWrite,
                P::TaxExport,
                P::LeadRead,
                P::LeadWrite,
                P::ReviewRead,
                P::ReviewWrite,
                P::ConversationRead,
                P::ConversationWrite,
                P::EscalationRead,
                P::EscalationWrite,
                P::MessageRead,
                P::TemplateWrite,
                P::JobRead,
                P::JobWrite,
                P::StationRead,
                P::StationWrite,
                P::ChefWrite,
                P::ScheduleRead,
                P::ScheduleWrite,
                P::AuditRead,
                P::ProjectionRead,
                P::ApiKeyWrite,
            ],
            Self::CustomerSupport => &[
                P::BookingRead,
                P::BookingWrite,
                P::CustomerRead,
                P::CustomerWrite,
                P::MoneyRead,
                P::PaymentRead,
                P::PaymentRefund,
                P::PriceRead,
                P::LeadRead,
                P::LeadWrite,
                P::ReviewRead,
                P::ReviewWrite,
                P::ConversationRead,
                P::ConversationWrite,
                P::EscalationRead,
                P::EscalationWrite,
                P::MessageRead,
                P::JobRead,
                P::StationRead,
                P::ScheduleRead,
            ],
            Self::StationManager => &[
                P::BookingRead,
                P::BookingWrite,
                P::CustomerRead,
                P::MoneyRead,
                P::PaymentRead,
                P::PriceRead,
                P::ReviewRead,
                P::EscalationRead,
                P::StationRead,
                P::ChefWrite,
                P::ScheduleRead,
                P::ScheduleWrite,
            ],
            // Of the own schedule alone.
            Self::Chef => &[P::StationRead, P::ScheduleRead, P::ScheduleWrite],
            Self::Accountant => &[
                P::BookingRead,
                P::MoneyRead,
                P::PaymentRead,
                P::PriceRead,
                P::TaxRead,
                P::TaxWrite,
                P::TaxClose,
                P::TaxExport,
                P::StationRead,
            ],
            Self::Auditor => &[
                P::BookingRead,
                P::CustomerRead,
                P::MoneyRead,
                P::PaymentRead,
                P::PriceRead,
                P::TaxRead,
                P::LeadRead,
                P::ReviewRead,
                P::ConversationRead,
                P::EscalationRead,
                P::MessageRead,
                P::JobRead,
                P::StationRead,
                P::ScheduleRead,
                P::AuditRead,
                P::ProjectionRead,
                P::UserRead,
            ],
        }
    }

    /// Whether the role may do it.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

/// What somebody may do on a company's own pages without signing in: price a party, ask for it, pay for it, be called back, and
/// talk. What of that is somebody's own, they show by the secret of its link.
pub const ON_PAGES: [Permission; 6] = [
    Permission::PriceRead,
    Permission::StationRead,
    Permission::BookingWrite,
    Permission::PaymentWrite,
    Permission::LeadWrite,
    Permission::ConversationWrite,
];

/// Which stations somebody may see and act on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationScope {
    /// All of the company.
    All,
    /// Only these.
    Only(Vec<StationId>),
}

impl StationScope {
    /// Whether the station is within reach.
    pub fn covers(&self, station: StationId) -> bool {
        match self {
            Self::All => true,
            Self::Only(stations) => stations.contains(&station),
        }
    }

    /// The stations that alone are within reach; none where all are.
    pub fn only(&self) -> Option<&[StationId]> {
        match self {
            Self::All => None,
            Self::Only(stations) => Some(stations),
        }
    }
}

/// Somebody who is signed in: all that a rule about access may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The company.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// The stations within reach.
    pub stations: StationScope,
    /// The key that a program acts through for the person; none for the person.
    pub through: Option<ApiKeyGrant>,
}

impl Viewer {
    /// Whether the viewer has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission) && left_by(self.through.as_ref(), permission)
    }

    /// What decides which rows and fields the viewer sees.
    pub fn sight(&self) -> Sight {
        let Self {
            tenant,
            user,
            role,
            stations,
            through,
        } = self;
        let left = |ApiKeyGrant {
                        key_id: _,
                        permissions,
                    }: &ApiKeyGrant| permissions.clone();
        Sight {
            tenant: *tenant,
            role: *role,
            stations: stations.clone(),
            permissions: through.as_ref().map(left),
            chef: (*role == Role::Chef).then_some(*user),
        }
    }

    /// What the viewer may do.
    pub fn permissions(&self) -> Vec<Permission> {
        let of_role = self.role.permissions().iter().copied();
        of_role
            .filter(|permission| left_by(self.through.as_ref(), *permission))
            .collect()
    }

    /// Lets the viewer pass or refuses.
    ///
    /// # Errors
    /// [`Forbidden`] when the role does not have the permission, or the key is not for it.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.may(permission) {
            Ok(())
        } else if self.role.may(permission) {
            Err(Forbidden::Key(permission))
        } else {
            Err(Forbidden::Role(self.role, permission))
        }
    }
}

/// All that decides which rows and fields of a company somebody sees: of two who have the same, each sees what the other does.
/// What is somebody's own, such as how they sign in, is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Sight {
    tenant: TenantId,
    role: Role,
    stations: StationScope,
    /// What the key leaves that a program acts through; none for a person.
    permissions: Option<Vec<Permission>>,
    /// Of a chef, who sees the own schedule alone.
    chef: Option<UserId>,
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Nobody of the role may.
    #[error("the role {} does not have the permission {}", .0.as_str(), .1.as_str())]
    Role(Role, Permission),
    /// The person may, and the key that a program acts through for them is not for it.
    #[error("this key is not for {}: that takes a key with the scope", .0.as_str())]
    Key(Permission),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_super_admin_writes_users_and_the_auditor_writes_nothing() {
        for role in Role::ALL {
            assert_eq!(role.may(Permission::UserWrite), role == Role::SuperAdmin);
        }
        assert!(
            Role::Auditor
                .permissions()
                .iter()
                .all(|permission| permission.as_str().ends_with(":read"))
        );
    }

    #[test]
    fn a_chef_sees_no_money_and_support_no_tax() {
        assert!(!Role::Chef.may(Permission::MoneyRead));
        assert!(!Role::CustomerSupport.may(Permission::TaxRead));
        assert!(!Role::CustomerSupport.may(Permission::PriceWrite));
    }

    #[test]
    fn the_table_of_rights_is_the_one_that_was_agreed() {
        let mut table = String::new();
        for permission in Permission::ALL {
            let holders: Vec<&str> = Role::ALL
                .into_iter()
                .filter(|role| role.may(permission))
                .map(Role::as_str)
                .collect();
            table += &format!("{}: {}\n", permission.as_str(), holders.join(" "));
        }
        insta::assert_snapshot!("rights", table);
    }

    #[test]
    fn who_acts_with_a_key_may_what_both_the_role_and_the_key_allow() {
        let viewer = |through| Viewer {
            tenant: TenantId(uuid::Uuid::nil()),
            user: UserId(uuid::Uuid::nil()),
            role: Role::Accountant,
            stations: StationScope::All,
            through,
        };
        let key = viewer(Some(ApiKeyGrant {
            key_id: crate::ids::ApiKeyId(uuid::Uuid::nil()),
            permissions: vec![Permission::TaxRead, Permission::UserWrite],
        }));
        assert_eq!(key.permissions(), [Permission::TaxRead]);
        assert!(key.require(Permission::TaxRead).is_ok());
        let refused = |permission| key.require(permission).unwrap_err();
        assert_eq!(
            refused(Permission::UserWrite),
            Forbidden::Role(Role::Accountant, Permission::UserWrite)
        );
        assert_eq!(
            refused(Permission::TaxClose),
            Forbidden::Key(Permission::TaxClose)
        );
        assert_eq!(viewer(None).permissions(), Role::Accountant.permissions());
    }

    #[test]
    fn two_of_the_same_rights_see_the_same_but_for_chefs() {
        let viewer = |role, user, stations: &StationScope, through| Viewer {
            tenant: TenantId(uuid::Uuid::nil()),
            user: UserId(uuid::Uuid::from_u128(user)),
            role,
            stations: stations.clone(),
            through,
        };
        let (all, none) = (StationScope::All, StationScope::Only(Vec::new()));
        let key = |permission| ApiKeyGrant {
            key_id: crate::ids::ApiKeyId(uuid::Uuid::nil()),
            permissions: vec![permission],
        };
        let admin = viewer(Role::Admin, 1, &all, None).sight();
        assert_eq!(viewer(Role::Admin, 2, &all, None).sight(), admin);
        let others = [
            viewer(Role::Auditor, 1, &all, None),
            viewer(Role::Admin, 1, &none, None),
            viewer(Role::Admin, 1, &all, Some(key(Permission::BookingRead))),
            Viewer {
                tenant: TenantId(uuid::Uuid::from_u128(1)),
                ..viewer(Role::Admin, 1, &all, None)
            },
        ];
        assert!(others.iter().all(|other| other.sight() != admin));
        let chef = |user| viewer(Role::Chef, user, &all, None).sight();
        assert_ne!(chef(1), chef(2));
    }

    #[test]
    fn a_permission_survives_its_word() {
        for permission in Permission::ALL {
            let word = serde_json::to_string(&permission).unwrap();
            assert_eq!(word, format!("\"{}\"", permission.as_str()));
            assert_eq!(serde_json::from_str::<Permission>(&word).unwrap(), permission);
        }
        assert!(serde_json::from_str::<Permission>("\"all:write\"").is_err());
    }

    #[test]
    fn a_role_survives_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("OWNER"), None);
    }
}
