//! Roles and what each may do: one table, enforced by the command and query layers, shown by the API.

use serde::{Deserialize, Serialize};

use crate::ids::{StationId, TenantId, UserId};

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
                P::StationRead,
                P::StationWrite,
                P::ChefWrite,
                P::ScheduleRead,
                P::ScheduleWrite,
                P::AuditRead,
                P::ProjectionRead,
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
                P::StationRead,
                P::ScheduleRead,
                P::AuditRead,
                P::ProjectionRead,
            ],
        }
    }

    /// Whether the role may do it.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

/// One thing that a role may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// See bookings.
    BookingRead,
    /// Request, confirm, complete and cancel bookings.
    BookingWrite,
    /// See customers and their contacts.
    CustomerRead,
    /// Register customers.
    CustomerWrite,
    /// Erase a customer's data for good.
    CustomerErase,
    /// See any amount of money.
    MoneyRead,
    /// See payments.
    PaymentRead,
    /// Record and verify payments, charge cards, and see to the work queue.
    PaymentWrite,
    /// Give money back; support staff up to a limit that the company sets.
    PaymentRefund,
    /// Say that money that was found is not there after all, and set what others may give back.
    PaymentVoid,
    /// See price lists and their history.
    PriceRead,
    /// Change prices.
    PriceWrite,
    /// See tax lines, rates and reports.
    TaxRead,
    /// Set tax rates and places.
    TaxWrite,
    /// Close periods of tax, open them again, and choose what the accountant decides.
    TaxClose,
    /// Take tax reports and books away as files.
    TaxExport,
    /// See leads.
    LeadRead,
    /// Work on leads.
    LeadWrite,
    /// See stations.
    StationRead,
    /// Set up stations and chefs.
    StationWrite,
    /// Register chefs and let them work at stations.
    ChefWrite,
    /// See chefs, and when each of them works; a chef, the own schedule.
    ScheduleRead,
    /// Say when chefs work; a chef, the own times.
    ScheduleWrite,
    /// See the audit trail and the log's head.
    AuditRead,
    /// See the state of the read models.
    ProjectionRead,
    /// Create users and set their roles.
    UserWrite,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 26] = [
        Self::BookingRead,
        Self::BookingWrite,
        Self::CustomerRead,
        Self::CustomerWrite,
        Self::CustomerErase,
        Self::MoneyRead,
        Self::PaymentRead,
        Self::PaymentWrite,
        Self::PaymentRefund,
        Self::PaymentVoid,
        Self::PriceRead,
        Self::PriceWrite,
        Self::TaxRead,
        Self::TaxWrite,
        Self::TaxClose,
        Self::TaxExport,
        Self::LeadRead,
        Self::LeadWrite,
        Self::StationRead,
        Self::StationWrite,
        Self::ChefWrite,
        Self::ScheduleRead,
        Self::ScheduleWrite,
        Self::AuditRead,
        Self::ProjectionRead,
        Self::UserWrite,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookingRead => "booking:read",
            Self::BookingWrite => "booking:write",
            Self::CustomerRead => "customer:read",
            Self::CustomerWrite => "customer:write",
            Self::CustomerErase => "customer:erase",
            Self::MoneyRead => "money:read",
            Self::PaymentRead => "payment:read",
            Self::PaymentWrite => "payment:write",
            Self::PaymentRefund => "payment:refund",
            Self::PaymentVoid => "payment:void",
            Self::PriceRead => "price:read",
            Self::PriceWrite => "price:write",
            Self::TaxRead => "tax:read",
            Self::TaxWrite => "tax:write",
            Self::TaxClose => "tax:close",
            Self::TaxExport => "tax:export",
            Self::LeadRead => "lead:read",
            Self::LeadWrite => "lead:write",
            Self::StationRead => "station:read",
            Self::StationWrite => "station:write",
            Self::ChefWrite => "chef:write",
            Self::ScheduleRead => "schedule:read",
            Self::ScheduleWrite => "schedule:write",
            Self::AuditRead => "audit:read",
            Self::ProjectionRead => "projection:read",
            Self::UserWrite => "user:write",
        }
    }
}

/// Which stations somebody may see and act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Viewer {
    /// Lets the viewer pass or refuses.
    ///
    /// # Errors
    /// [`Forbidden`] when the role does not have the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.role.may(permission) {
            Ok(())
        } else {
            Err(Forbidden {
                role: self.role,
                permission,
            })
        }
    }
}

/// The role does not have the permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the role {} does not have the permission {}", role.as_str(), permission.as_str())]
pub struct Forbidden {
    /// The role that asked.
    pub role: Role,
    /// What it lacks.
    pub permission: Permission,
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
    fn a_role_survives_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("OWNER"), None);
    }
}
