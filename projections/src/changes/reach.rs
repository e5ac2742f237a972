//! Who is told of what: one table of kinds of entities and the permissions by which they are seen, and how far each viewer reaches.

use std::collections::HashSet;

use domain::access::{Forbidden, Permission, Role, StationScope, Viewer};
use domain::chef::CHEF_USER;
use domain::envelope::Position;
use domain::ids::{ChefId, UserId};

use super::{Change, Crew, NAMES};
use crate::booking_list::BookingList;
use crate::engine::{At, ReadError, ReadModels};
use crate::id_list::has;

/// The permission by which changes of a kind of entity are seen. Whoever sees the audit trail sees all of them, as there.
fn needed(kind: &str) -> Permission {
    match kind {
        "station" => Permission::StationRead,
        "chef" => Permission::ScheduleRead,
        "user" => Permission::UserRead,
        "customer" => Permission::CustomerRead,
        "booking" => Permission::BookingRead,
        "payment" | "work_item" | "document" | "document_series" => Permission::PaymentRead,
        "price_list" | "promo_code" => Permission::PriceRead,
        "tax_rate" | "tax_period" => Permission::TaxRead,
        "lead" => Permission::LeadRead,
        "review" => Permission::ReviewRead,
        "conversation" => Permission::ConversationRead,
        "escalation" => Permission::EscalationRead,
        "message" | "message_template" => Permission::MessageRead,
        "job" => Permission::JobRead,
        // The company's own, and kinds of newer programs.
        _ => Permission::AuditRead,
    }
}

/// The kind of entity that an event of this name happens to.
pub(super) fn kind(name: &str) -> &str {
    name.split_once('.').map_or(name, |(kind, _)| kind)
}

/// Lets a viewer pass who is told of changes of a kind of entity, in as far as they are within reach.
pub(super) fn require(viewer: &Viewer, kind: &str) -> Result<(), Forbidden> {
    if viewer.may(Permission::AuditRead) {
        return Ok(());
    }
    let needed = match (viewer.role, kind) {
        // The own parties are the own schedule.
        (Role::Chef, "booking") => Permission::ScheduleRead,
        (_, kind) => needed(kind),
    };
    viewer.require(needed)
}

/// What has to be read of the log for a viewer who wants these types, or all where none are named; all of it where absent.
pub(super) fn readable(
    viewer: &Viewer,
    wanted: Option<&HashSet<&'static str>>,
) -> Result<Option<Vec<&'static str>>, Forbidden> {
    let sees_all = viewer.may(Permission::AuditRead);
    if sees_all && wanted.is_none() {
        return Ok(None);
    }
    // What is a chef's own follows from events that nobody may have asked for.
    let wanted = wanted.filter(|_| viewer.role != Role::Chef);
    let names = NAMES
        .iter()
        .copied()
        .filter(|name| wanted.is_none_or(|wanted| wanted.contains(name)))
        .filter(|name| require(viewer, kind(name)).is_ok());
    let names: Vec<&'static str> = names.collect();
    if names.is_empty() {
        viewer.require(Permission::AuditRead)?;
    }
    Ok(Some(names))
}

/// How far a viewer reaches.
#[derive(Debug)]
pub(super) struct Reach {
    viewer: Viewer,
    own: Option<Own>,
}

/// What is a chef's own: the record, and the parties that it is assigned to.
#[derive(Debug)]
struct Own {
    user: UserId,
    chef: Option<ChefId>,
    parties: HashSet<String>,
}

impl Reach {
    /// How far a viewer reaches after a position.
    pub(super) async fn of(models: &ReadModels, viewer: &Viewer, after: Position) -> Result<Self, ReadError> {
        let own = match viewer.role {
            Role::Chef => Some(Own::of(models, viewer, after).await?),
            Role::SuperAdmin
            | Role::Admin
            | Role::CustomerSupport
            | Role::StationManager
            | Role::Accountant
            | Role::Auditor => None,
        };
        Ok(Self {
            viewer: viewer.clone(),
            own,
        })
    }

    /// Whether the viewer is told. To be asked of every change in turn.
    pub(super) fn sees(&mut self, change: &Change) -> bool {
        let kind = change.entity_type.as_str();
        if let Some(own) = &mut self.own {
            match kind {
                "chef" => return own.is_record(change) && require(&self.viewer, kind).is_ok(),
                "booking" => return own.is_party(change) && require(&self.viewer, kind).is_ok(),
                _ => {}
            }
        }
        let within = match &self.viewer.stations {
            StationScope::All => true,
            StationScope::Only(stations) => change.station.is_some_and(|station| stations.contains(&station)),
        };
        within && require(&self.viewer, kind).is_ok()
    }
}

impl Own {
    async fn of(models: &ReadModels, viewer: &Viewer, after: Position) -> Result<Self, ReadError> {
        let user = viewer.user;
        let log = models.log();
        let holder = log
            .unique_holder(viewer.tenant, CHEF_USER, &user.to_string())
            .await?;
        let chef: Option<ChefId> = holder.and_then(|stream| stream.id.parse().ok());
        let parties = match chef {
            None => HashSet::new(),
            Some(chef) => {
                let conditions = vec![has(&["chefs"], chef.0)];
                let at = At::AsOf(after);
                let rows = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
                rows.value
                    .into_iter()
                    .map(|row| row.booking_id.to_string())
                    .collect()
            }
        };
        Ok(Self { user, chef, parties })
    }

    fn is_record(&mut self, change: &Change) -> bool {
        if change.crew == Crew::SignsInAs(self.user) {
            self.chef = change.entity_id.parse().ok();
        }
        self.chef.is_some_and(|chef| chef.to_string() == change.entity_id)
    }

    /// Whether the chef cooks the party, before the change or after it: as the list of bookings has it.
    fn is_party(&mut self, change: &Change) -> bool {
        let party = &change.entity_id;
        match change.crew {
            Crew::Joins(chef) if self.chef == Some(chef) => {
                self.parties.insert(party.clone());
                true
            }
            Crew::Leaves(chef) if self.chef == Some(chef) => self.parties.remove(party),
            Crew::Stays | Crew::Joins(_) | Crew::Leaves(_) | Crew::SignsInAs(_) => {
                self.parties.contains(party)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use domain::access::ApiKeyGrant;
    use domain::ids::{ApiKeyId, StationId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn viewer(role: Role, stations: StationScope) -> Viewer {
        Viewer {
            tenant: TenantId(Uuid::nil()),
            user: UserId(Uuid::from_u128(7)),
            role,
            stations,
            through: None,
        }
    }

    fn change(kind: &str, id: impl ToString, station: Option<StationId>, crew: Crew) -> Change {
        Change {
            position: Position(1),
            event_type: format!("{kind}.happened"),
            entity_type: kind.to_owned(),
            entity_id: id.to_string(),
            recorded_at: DateTime::UNIX_EPOCH,
            station,
            crew,
        }
    }

    #[test]
    fn every_kind_has_its_permission_and_the_company_itself_is_for_the_trail() {
        let kinds: BTreeSet<&str> = NAMES.iter().map(|name| kind(name)).collect();
        let of_trail = |kind: &&str| needed(kind) == Permission::AuditRead;
        let of_trail: Vec<&str> = kinds.iter().copied().filter(of_trail).collect();
        assert_eq!(of_trail, ["organisation"]);
        assert_eq!(needed("of tomorrow"), Permission::AuditRead);
    }

    #[test]
    fn somebody_of_some_stations_is_told_of_those_alone() {
        let (here, there) = (StationId(Uuid::from_u128(1)), StationId(Uuid::from_u128(2)));
        let scope = StationScope::Only(vec![here]);
        for role in [Role::StationManager, Role::Auditor] {
            let mut reach = Reach {
                viewer: viewer(role, scope.clone()),
                own: None,
            };
            let seen = [Some(here), Some(there), None]
                .map(|station| reach.sees(&change("booking", "a", station, Crew::Stays)));
            assert_eq!(seen, [true, false, false], "{role:?}");
        }
    }

    #[test]
    fn a_chef_is_told_of_the_own_parties_until_they_are_others() {
        let (me, other) = (ChefId(Uuid::from_u128(1)), ChefId(Uuid::from_u128(2)));
        let viewer = viewer(Role::Chef, StationScope::All);
        let mut reach = Reach {
            own: Some(Own {
                user: viewer.user,
                chef: None,
                parties: HashSet::new(),
            }),
            viewer: viewer.clone(),
        };
        let mut told = |kind, id: &str, crew| reach.sees(&change(kind, id, None, crew));
        assert!(
            !told("booking", "a", Crew::Joins(me)),
            "nobody's record is mine yet"
        );
        assert!(!told(
            "chef",
            &other.to_string(),
            Crew::SignsInAs(UserId(Uuid::nil()))
        ));
        assert!(told("chef", &me.to_string(), Crew::SignsInAs(viewer.user)));
        assert!(!told("booking", "a", Crew::Stays));
        assert!(!told("booking", "a", Crew::Joins(other)));
        assert!(told("booking", "a", Crew::Joins(me)));
        assert!(told("booking", "a", Crew::Leaves(other)));
        assert!(told("booking", "a", Crew::Leaves(me)), "that they cook no more");
        assert!(!told("booking", "a", Crew::Stays));
        assert!(told("booking", "b", Crew::Joins(me)));
        assert!(told("booking", "b", Crew::Leaves(me)));
        assert!(!told("booking", "b", Crew::Leaves(me)));
        assert!(!told("payment", "p", Crew::Stays));
        assert!(told("station", "s", Crew::Stays));
    }

    #[test]
    fn a_key_reads_of_the_log_what_it_is_for() {
        let through = |permissions: &[Permission]| Viewer {
            through: Some(ApiKeyGrant {
                key_id: ApiKeyId(Uuid::nil()),
                permissions: permissions.to_vec(),
            }),
            ..viewer(Role::SuperAdmin, StationScope::All)
        };
        let names = readable(&through(&[Permission::TaxRead]), None).unwrap().unwrap();
        assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("tax_")));
        assert!(readable(&through(&[Permission::BookingWrite]), None).is_err());
        assert_eq!(readable(&through(&[Permission::AuditRead]), None), Ok(None));
        assert!(require(&through(&[Permission::TaxRead]), "lead").is_err());
    }
}
