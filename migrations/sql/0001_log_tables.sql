-- The log: tenants, their heads, their events, and what guards them.

-- Roles belong to the cluster, and several databases may be migrated at once.
do $$
begin
    -- Where the role is there already, the migrator needs no right to create one.
    if not exists (select from pg_roles where rolname = 'hibachi_app') then
        create role hibachi_app nologin;
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if not pg_has_role(current_user, 'hibachi_app', 'member') then
        execute format('grant hibachi_app to %I', current_user);
    end if;
exception
    when unique_violation then null;
end
$$;

grant usage on schema public to hibachi_app;

create table organisations (
    tenant_id uuid primary key,
    -- Unique across tenants, alone in the schema: it is how a tenant is found before it is known.
    slug text not null unique check (slug ~ '^[a-z0-9](-?[a-z0-9])*$'),
    name text not null check (name <> ''),
    created_at timestamptz not null default clock_timestamp()
);

create table log_head (
    tenant_id uuid primary key references organisations,
    position bigint not null check (position >= 0),
    recorded_at timestamptz not null,
    block bigint not null check (block >= 0),
    block_hash bytea not null check (length(block_hash) = 32)
);

-- No foreign key from here down to the claims: an append holds the tenant's head row locked, and a
-- look-up for each event would cost more than its insert.

-- The columns from aggregate_type to metadata are those of postgres-es 0.5, so that it reads the
-- log unmodified. json, not jsonb: the stored text is the hashed text.
create table events (
    tenant_id uuid not null,
    position bigint not null check (position > 0),
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null check (sequence > 0),
    event_type text not null,
    event_version text not null,
    payload json not null,
    metadata json not null,
    event_id uuid not null,
    command_id uuid not null,
    recorded_at timestamptz not null,
    leaf_hash bytea not null check (length(leaf_hash) = 32),
    primary key (tenant_id, position),
    unique (tenant_id, aggregate_type, aggregate_id, sequence)
);

create table log_blocks (
    tenant_id uuid not null,
    block bigint not null check (block > 0),
    first_position bigint not null check (first_position > 0),
    last_position bigint not null check (last_position >= first_position),
    merkle_root bytea not null check (length(merkle_root) = 32),
    block_hash bytea not null check (length(block_hash) = 32),
    closed_at timestamptz not null,
    primary key (tenant_id, block)
);

-- A command that wrote no event has an empty range: last_position = first_position - 1.
create table commands (
    tenant_id uuid not null,
    command_id uuid not null,
    digest bytea not null check (length(digest) = 32),
    first_position bigint not null,
    last_position bigint not null check (last_position >= first_position - 1),
    streams jsonb not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, command_id)
);

create table claims_unique (
    tenant_id uuid not null,
    scope text not null,
    key text not null,
    holder_kind text not null,
    holder_id text not null,
    primary key (tenant_id, scope, key)
);

create table claims_capacity (
    tenant_id uuid not null,
    resource text not null,
    holder_kind text not null,
    holder_id text not null,
    from_at timestamptz not null,
    until_at timestamptz not null check (until_at > from_at),
    units integer not null check (units > 0),
    primary key (tenant_id, resource, holder_kind, holder_id, from_at)
);

-- Claims that overlap [from, until) have until_at > from and from_at < until; all but the recent
-- ones end before.
create index claims_capacity_until on claims_capacity (tenant_id, resource, until_at);

-- One data key per person; deleting the row is what erases the person.
create table subject_keys (
    tenant_id uuid not null references log_head,
    subject_id uuid not null,
    wrapped_key bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, subject_id)
);
