-- States of long streams, so that a load need not fold them from the start. Beside the log and made of it: they may be
-- thrown away at any time. Text and not json, so that what is damaged is refused where it is read, and ignored.

create table snapshots (
    tenant_id uuid not null,
    aggregate_type text not null,
    aggregate_id text not null,
    -- What the state was folded and written by.
    schema_hash bytea not null check (length(schema_hash) = 32),
    -- How many events of the stream are in the state.
    version bigint not null check (version > 0),
    state text not null,
    -- Over whose state it is, of what version, and the state.
    digest bytea not null check (length(digest) = 32),
    taken_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, aggregate_type, aggregate_id)
);

alter table snapshots enable row level security;
alter table snapshots force row level security;
create policy tenant on snapshots using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert, update, delete on snapshots to hibachi_app;

-- A stream from its snapshot, in one round trip: first the snapshot if there is one, with its fit, then the events
-- after it, or all where it does not fit.
--   usable: made by the schema that is asked for, of a version that the stream has; with its state
--   other_schema, beyond_end: not
-- Without a schema no snapshot is looked for.
create function load_stream(a_tenant uuid, a_kind text, a_id text, a_schema_hash bytea)
returns table (
    fit text, digest bytea, "position" bigint, sequence bigint, event_type text, event_version text, payload text
)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_snapshot snapshots;
    v_after bigint := 0;
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    if a_schema_hash is not null then
        select * into v_snapshot from snapshots s
        where s.tenant_id = a_tenant and s.aggregate_type = a_kind and s.aggregate_id = a_id;
        if v_snapshot.version is not null then
            if v_snapshot.schema_hash <> a_schema_hash then
                fit := 'other_schema';
            elsif not exists (
                select from events e
                where e.tenant_id = a_tenant and e.aggregate_type = a_kind and e.aggregate_id = a_id
                    and e.sequence = v_snapshot.version
            ) then
                fit := 'beyond_end';
            else
                fit := 'usable';
                digest := v_snapshot.digest;
                payload := v_snapshot.state;
                v_after := v_snapshot.version;
            end if;
            sequence := v_snapshot.version;
            return next;
        end if;
    end if;
    return query
        select
            null::text, null::bytea, e.position, e.sequence, e.event_type, e.event_version, e.payload::text
        from events e
        where e.tenant_id = a_tenant and e.aggregate_type = a_kind and e.aggregate_id = a_id
            and e.sequence > v_after
        order by e.sequence;
end
$$;

create function keep_snapshot(
    a_tenant uuid, a_kind text, a_id text, a_schema_hash bytea, a_version bigint, a_state text, a_digest bytea
) returns void
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    insert into snapshots (tenant_id, aggregate_type, aggregate_id, schema_hash, version, state, digest)
    values (a_tenant, a_kind, a_id, a_schema_hash, a_version, a_state, a_digest)
    on conflict (tenant_id, aggregate_type, aggregate_id) do update
    set schema_hash = excluded.schema_hash, version = excluded.version, state = excluded.state,
        digest = excluded.digest, taken_at = excluded.taken_at;
end
$$;
