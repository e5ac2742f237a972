-- The station that an entry of the trail is about, where its event knows one: whoever is kept to some stations sees
-- the entries of those, and none that have no station.

alter table audit_trail add column station_id uuid;

create index audit_trail_station on audit_trail (tenant_id, generation, station_id, position);
-- Kinds of things that seldom change, such as users and stations.
create index audit_trail_entity_type on audit_trail (tenant_id, generation, entity_type, position);
