-- A log that comes from elsewhere: written piece by piece under its own hashes, and not there for anybody until
-- it is whole.
--
-- The functions below write as the owner, and only for a company whose import was begun and not finished. While it
-- is not, the company has neither a row in organisations nor a head: nobody finds it, and no append gets a
-- position. Each piece says how far the import has come before it: none is written twice or left out, whoever is
-- killed, and of two programs at once the second is refused.

create table log_imports (
    tenant_id uuid primary key,
    slug text not null check (slug ~ '^[a-z0-9](-?[a-z0-9])*$'),
    name text not null check (name <> ''),
    created_at timestamptz not null,
    -- What is imported: SHA-256 of the bundle's manifest.
    bundle bytea not null check (length(bundle) = 32),
    begun_at timestamptz not null default clock_timestamp(),
    -- Null: nobody sees the company.
    finished_at timestamptz,
    -- How many are written.
    events bigint not null default 0,
    blocks bigint not null default 0,
    commands bigint not null default 0,
    claims bigint not null default 0,
    subject_keys bigint not null default 0
);

alter table log_imports enable row level security;
alter table log_imports force row level security;
create policy tenant on log_imports using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select on log_imports to hibachi_app;

-- Begins an import, or takes up the one of the same bundle where it was left; the slug may be another then.
--   begun: and how far it has come
--   exists: the company is there, or something of it
--   other_bundle: another bundle of the company was begun
--   slug_taken: another company has the slug
create function begin_import(
    a_tenant uuid, a_slug text, a_name text, a_created_at timestamptz, a_bundle bytea
) returns table (
    outcome text, events bigint, blocks bigint, commands bigint, claims bigint, subject_keys bigint
)
language plpgsql security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
    v_import log_imports;
begin
    perform set_config('hibachi.tenant', a_tenant::text, true);
    if exists (select from organisations o where o.tenant_id = a_tenant)
        or exists (select from log_head h where h.tenant_id = a_tenant)
    then
        return query select 'exists', 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint;
        return;
    end if;
    if exists (select from organisations o where o.slug = a_slug) then
        return query select 'slug_taken', 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint;
        return;
    end if;
    select * into v_import from log_imports i where i.tenant_id = a_tenant for update;
    if not found then
        if exists (select from events e where e.tenant_id = a_tenant)
            or exists (select from log_blocks b where b.tenant_id = a_tenant)
        then
            return query select 'exists', 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint;
            return;
        end if;
        insert into log_imports (tenant_id, slug, name, created_at, bundle)
        values (a_tenant, a_slug, a_name, a_created_at, a_bundle)
        returning * into v_import;
    elsif v_import.bundle <> a_bundle then
        return query select 'other_bundle', 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint;
        return;
    end if;
    update log_imports i set slug = a_slug where i.tenant_id = a_tenant;
    return query
        select 'begun', v_import.events, v_import.blocks, v_import.commands, v_import.claims, v_import.subject_keys;
end
$$;

-- The import that is at work, locked for this transaction; an error where there is none.
create function import_at_work(a_tenant uuid) returns log_imports
language plpgsql
as $$
declare
    v_import log_imports;
begin
    perform set_config('hibachi.tenant', a_tenant::text, true);
    select * into v_import from log_imports i
    where i.tenant_id = a_tenant and i.finished_at is null
    for update;
    if not found or exists (select from log_head h where h.tenant_id = a_tenant) then
        raise exception 'no import of this company is at work' using errcode = 'HB001';
    end if;
    return v_import;
end
$$;

-- That a piece goes on where the one before it ended.
create function assert_import_goes_on(a_written bigint, a_after bigint) returns void
language plpgsql immutable
as $$
begin
    if a_written <> a_after then
        raise exception 'the import has come to % and not to %: is another at work?', a_written, a_after
            using errcode = 'HB001';
    end if;
end
$$;

-- Writes the events after a position.
create function import_events(
    a_tenant uuid, a_after bigint, e_kind text[], e_stream_id text[], e_sequence bigint[], e_type text[],
    e_version text[], e_payload text[], e_metadata text[], e_id uuid[], e_command uuid[],
    e_recorded_at timestamptz[], e_leaf bytea[]
) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    perform assert_import_goes_on(v_import.events, a_after);
    insert into events (
        tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, command_id, recorded_at, leaf_hash
    )
    select
        a_tenant, a_after + e.i, e.kind, e.stream_id, e.sequence, e.type, e.version,
        e.payload::json, e.metadata::json, e.id, e.command, e.recorded_at, e.leaf
    from unnest(
        e_kind, e_stream_id, e_sequence, e_type, e_version, e_payload, e_metadata, e_id, e_command,
        e_recorded_at, e_leaf
    ) with ordinality e (
        kind, stream_id, sequence, type, version, payload, metadata, id, command, recorded_at, leaf, i
    );
    update log_imports i set events = a_after + cardinality(e_kind) where i.tenant_id = a_tenant;
end
$$;

-- Writes the blocks after a number.
create function import_blocks(
    a_tenant uuid, a_after bigint, b_first bigint[], b_last bigint[], b_root bytea[], b_hash bytea[],
    b_closed_at timestamptz[]
) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    perform assert_import_goes_on(v_import.blocks, a_after);
    insert into log_blocks (tenant_id, block, first_position, last_position, merkle_root, block_hash, closed_at)
    select a_tenant, a_after + b.i, b.first, b.last, b.root, b.hash, b.closed_at
    from unnest(b_first, b_last, b_root, b_hash, b_closed_at) with ordinality b (
        first, last, root, hash, closed_at, i
    );
    update log_imports i set blocks = a_after + cardinality(b_first) where i.tenant_id = a_tenant;
end
$$;

-- Writes results of commands; so many are written before.
create function import_commands(
    a_tenant uuid, a_after bigint, k_id uuid[], k_digest bytea[], k_first bigint[], k_last bigint[],
    k_streams jsonb[], k_recorded_at timestamptz[]
) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    perform assert_import_goes_on(v_import.commands, a_after);
    insert into commands (tenant_id, command_id, digest, first_position, last_position, streams, recorded_at)
    select a_tenant, k.id, k.digest, k.first, k.last, k.streams, k.recorded_at
    from unnest(k_id, k_digest, k_first, k_last, k_streams, k_recorded_at) k (
        id, digest, first, last, streams, recorded_at
    );
    update log_imports i set commands = a_after + cardinality(k_id) where i.tenant_id = a_tenant;
end
$$;

-- Writes what the log's events hold; so many claims are written before. c_kind: unique, capacity, interval.
create function import_claims(
    a_tenant uuid, a_after bigint, c_kind text[], c_name text[], c_key text[], h_kind text[], h_id text[],
    c_from timestamptz[], c_until timestamptz[], c_units integer[]
) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    perform assert_import_goes_on(v_import.claims, a_after);
    insert into claims_unique (tenant_id, scope, key, holder_kind, holder_id)
    select a_tenant, c.name, c.key, c.holder_kind, c.holder_id
    from unnest(c_kind, c_name, c_key, h_kind, h_id) c (kind, name, key, holder_kind, holder_id)
    where c.kind = 'unique';
    insert into claims_capacity (tenant_id, resource, holder_kind, holder_id, from_at, until_at, units)
    select a_tenant, c.name, c.holder_kind, c.holder_id, c.from_at, c.until_at, c.units
    from unnest(c_kind, c_name, h_kind, h_id, c_from, c_until, c_units) c (
        kind, name, holder_kind, holder_id, from_at, until_at, units
    )
    where c.kind = 'capacity';
    insert into claims_interval (tenant_id, resource, holder_kind, holder_id, from_at, until_at)
    select a_tenant, c.name, c.holder_kind, c.holder_id, c.from_at, c.until_at
    from unnest(c_kind, c_name, h_kind, h_id, c_from, c_until) c (
        kind, name, holder_kind, holder_id, from_at, until_at
    )
    where c.kind = 'interval';
    update log_imports i set claims = a_after + cardinality(c_kind) where i.tenant_id = a_tenant;
end
$$;

-- Writes persons' keys as they are wrapped, and the marks in the place of those that were destroyed; so many are
-- written before.
create function import_subject_keys(
    a_tenant uuid, a_after bigint, s_id uuid[], s_wrapped bytea[], s_master bytea[], s_created_at timestamptz[],
    s_erased_at timestamptz[]
) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    perform assert_import_goes_on(v_import.subject_keys, a_after);
    insert into subject_keys (tenant_id, subject_id, wrapped_key, master_key_id, created_at, erased_at)
    select a_tenant, s.id, s.wrapped, s.master, coalesce(s.created_at, clock_timestamp()), s.erased_at
    from unnest(s_id, s_wrapped, s_master, s_created_at, s_erased_at) s (
        id, wrapped, master, created_at, erased_at
    );
    update log_imports i set subject_keys = a_after + cardinality(s_id) where i.tenant_id = a_tenant;
end
$$;

-- Ends an import: from the commit on the company is there. The company's own keys are null where they do not come
-- along. False when another company has taken the slug meanwhile.
create function finish_import(
    a_tenant uuid, a_position bigint, a_recorded_at timestamptz, a_block bigint, a_block_hash bytea,
    a_commands bigint, a_claims bigint, a_subject_keys bigint,
    t_master bytea, t_index bytea, t_digest bytea, t_created_at timestamptz
) returns boolean
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    v_import log_imports := import_at_work(a_tenant);
begin
    if (v_import.events, v_import.blocks, v_import.commands, v_import.claims, v_import.subject_keys)
            <> (a_position, a_block, a_commands, a_claims, a_subject_keys)
        or (select count(*) from events e where e.tenant_id = a_tenant) <> a_position
        or not exists (
            select from log_blocks b
            where b.tenant_id = a_tenant and b.block = a_block and b.last_position = a_position
                and b.block_hash = a_block_hash
        )
    then
        raise exception 'the import is not whole' using errcode = 'HB001';
    end if;
    if exists (select from organisations o where o.slug = v_import.slug) then
        return false;
    end if;
    insert into organisations (tenant_id, slug, name, created_at)
    values (a_tenant, v_import.slug, v_import.name, v_import.created_at);
    insert into log_head (tenant_id, position, recorded_at, block, block_hash)
    values (a_tenant, a_position, a_recorded_at, a_block, a_block_hash);
    if t_master is not null then
        insert into tenant_keys (tenant_id, master_key_id, index_key, digest_key, created_at)
        values (a_tenant, t_master, t_index, t_digest, t_created_at);
    end if;
    update log_imports i set finished_at = clock_timestamp() where i.tenant_id = a_tenant;
    return true;
end
$$;

do $$
declare
    v_function text;
begin
    foreach v_function in array array[
        'begin_import(uuid, text, text, timestamptz, bytea)',
        'import_events(uuid, bigint, text[], text[], bigint[], text[], text[], text[], text[], uuid[], uuid[], timestamptz[], bytea[])',
        'import_blocks(uuid, bigint, bigint[], bigint[], bytea[], bytea[], timestamptz[])',
        'import_commands(uuid, bigint, uuid[], bytea[], bigint[], bigint[], jsonb[], timestamptz[])',
        'import_claims(uuid, bigint, text[], text[], text[], text[], text[], timestamptz[], timestamptz[], integer[])',
        'import_subject_keys(uuid, bigint, uuid[], bytea[], bytea[], timestamptz[], timestamptz[])',
        'finish_import(uuid, bigint, timestamptz, bigint, bytea, bigint, bigint, bigint, bytea, bytea, bytea, timestamptz)'
    ] loop
        execute format('revoke execute on function %s from public', v_function);
        execute format('grant execute on function %s to hibachi_app', v_function);
    end loop;
end
$$;
