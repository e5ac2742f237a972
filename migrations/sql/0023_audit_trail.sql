-- The audit trail: one entry for every event.

create table audit_trail (
    tenant_id uuid not null,
    generation integer not null,
    position bigint not null,
    recorded_at timestamptz not null,
    event_type text collate "C" not null,
    summary text collate "C" not null,
    entity_type text collate "C" not null,
    entity_id text collate "C" not null,
    actor_kind text collate "C" not null,
    actor_id text collate "C" not null,
    actor_role text collate "C",
    channel text collate "C" not null,
    reason text collate "C",
    changes jsonb not null,
    correlation_id text collate "C" not null,
    causation_id text collate "C",
    event_id uuid not null,
    redacted boolean not null,
    primary key (tenant_id, generation, position)
);

create index audit_trail_entity on audit_trail (tenant_id, generation, entity_id, position);
create index audit_trail_actor on audit_trail (tenant_id, generation, actor_id, position);
create index audit_trail_type on audit_trail (tenant_id, generation, event_type, position);
