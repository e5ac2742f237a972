-- The append: one call, one transaction, many commands of many tenants.

-- The hash of one event's canonical form: every field as its length in four bytes, then its bytes.
-- event_log::proof describes the form and computes the same in Rust.
create function event_leaf(
    a_tenant uuid, a_position bigint, a_aggregate_type text, a_aggregate_id text, a_sequence bigint,
    a_event_type text, a_event_version text, a_payload text, a_metadata text,
    a_event_id uuid, a_command_id uuid, a_recorded_micros bigint
) returns bytea
language sql stable parallel safe
as $$
    select sha256(
        '\x00'::bytea
        || int4send(16) || convert_to('hibachi.event.v1', 'UTF8')
        || int4send(16) || uuid_send(a_tenant)
        || int4send(8) || int8send(a_position)
        || int4send(octet_length(a_aggregate_type)) || convert_to(a_aggregate_type, 'UTF8')
        || int4send(octet_length(a_aggregate_id)) || convert_to(a_aggregate_id, 'UTF8')
        || int4send(8) || int8send(a_sequence)
        || int4send(octet_length(a_event_type)) || convert_to(a_event_type, 'UTF8')
        || int4send(octet_length(a_event_version)) || convert_to(a_event_version, 'UTF8')
        || int4send(octet_length(a_payload)) || convert_to(a_payload, 'UTF8')
        || int4send(octet_length(a_metadata)) || convert_to(a_metadata, 'UTF8')
        || int4send(16) || uuid_send(a_event_id)
        || int4send(16) || uuid_send(a_command_id)
        || int4send(8) || int8send(a_recorded_micros)
    )
$$;

-- The root of RFC 6962's tree over the leaves' hashes: pairs are joined level by level, and an odd
-- one out goes up as it is.
create function merkle_root(a_leaves bytea[]) returns bytea
language plpgsql immutable parallel safe
as $$
declare
    v_level bytea[] := a_leaves;
begin
    while cardinality(v_level) > 1 loop
        select array_agg(
            case
                when 2 * i > cardinality(v_level) then v_level[2 * i - 1]
                else sha256('\x01'::bytea || v_level[2 * i - 1] || v_level[2 * i])
            end
            order by i
        )
        into v_level
        from generate_series(1, (cardinality(v_level) + 1) / 2) i;
    end loop;
    return v_level[1];
end
$$;

-- Closes the block of one batch, whose events are already in, and moves the head.
create function close_block(a_head log_head, a_leaves bytea[], a_recorded_at timestamptz) returns void
language plpgsql
as $$
declare
    v_first bigint := a_head.position + 1;
    v_last bigint := a_head.position + cardinality(a_leaves);
    v_root bytea := merkle_root(a_leaves);
    v_hash bytea := sha256(a_head.block_hash || v_root || int8send(v_first) || int8send(v_last));
begin
    insert into log_blocks (tenant_id, block, first_position, last_position, merkle_root, block_hash, closed_at)
    values (a_head.tenant_id, a_head.block + 1, v_first, v_last, v_root, v_hash, a_recorded_at);
    update log_head
    set position = v_last, recorded_at = a_recorded_at, block = a_head.block + 1, block_hash = v_hash
    where tenant_id = a_head.tenant_id;
end
$$;

-- Takes a unique key; false when another stream holds it. A stream may take again what it holds.
create function take_unique(a_tenant uuid, a_scope text, a_key text, a_kind text, a_id text) returns boolean
language plpgsql
as $$
begin
    insert into claims_unique (tenant_id, scope, key, holder_kind, holder_id)
    values (a_tenant, a_scope, a_key, a_kind, a_id)
    on conflict (tenant_id, scope, key) do nothing;
    return found or exists (
        select from claims_unique
        where tenant_id = a_tenant and scope = a_scope and key = a_key
            and holder_kind = a_kind and holder_id = a_id
    );
end
$$;

-- Takes capacity; false when the sum at some instant would pass the limit. A stream holds one taking
-- per resource and start: taking again at the same start replaces it.
create function take_capacity(
    a_tenant uuid, a_resource text, a_kind text, a_id text,
    a_from timestamptz, a_until timestamptz, a_units integer, a_limit integer
) returns boolean
language plpgsql
as $$
declare
    v_peak bigint;
begin
    delete from claims_capacity
    where tenant_id = a_tenant and resource = a_resource
        and holder_kind = a_kind and holder_id = a_id and from_at = a_from;
    -- At one instant what ends goes before what starts: the intervals are half-open.
    select coalesce(max(running), 0) into v_peak
    from (
        select sum(d.units) over (order by d.at, d.units) as running
        from claims_capacity c
        cross join lateral (
            values (greatest(c.from_at, a_from), c.units), (least(c.until_at, a_until), -c.units)
        ) d (at, units)
        where c.tenant_id = a_tenant and c.resource = a_resource
            and c.until_at > a_from and c.from_at < a_until
    ) steps;
    if v_peak + a_units > a_limit then
        return false;
    end if;
    insert into claims_capacity (tenant_id, resource, holder_kind, holder_id, from_at, until_at, units)
    values (a_tenant, a_resource, a_kind, a_id, a_from, a_until, a_units);
    return true;
end
$$;

-- Takes and releases the claims a_lo..a_hi, which are those of one append, in event order.
-- Returns the index of the claim that was refused, or null; then nothing of them has happened.
create function apply_claims(
    a_tenant uuid, a_lo integer, a_hi integer, s_kind text[], s_id text[],
    c_stream integer[], c_action text[], c_name text[], c_key text[],
    c_from timestamptz[], c_until timestamptz[], c_units integer[], c_limit integer[]
) returns integer
language plpgsql
as $$
declare
    v_kind text;
    v_id text;
    v_granted boolean;
    v_refused integer;
begin
    for c in a_lo..a_hi loop
        v_kind := s_kind[c_stream[c]];
        v_id := s_id[c_stream[c]];
        v_granted := true;
        case c_action[c]
            when 'take_unique' then
                v_granted := take_unique(a_tenant, c_name[c], c_key[c], v_kind, v_id);
            when 'take_capacity' then
                v_granted := take_capacity(
                    a_tenant, c_name[c], v_kind, v_id, c_from[c], c_until[c], c_units[c], c_limit[c]
                );
            when 'release_unique' then
                delete from claims_unique
                where tenant_id = a_tenant and scope = c_name[c] and key = c_key[c]
                    and holder_kind = v_kind and holder_id = v_id;
            when 'release_capacity' then
                delete from claims_capacity
                where tenant_id = a_tenant and resource = c_name[c]
                    and holder_kind = v_kind and holder_id = v_id;
        end case;
        if not v_granted then
            v_refused := c;
            raise exception using errcode = 'HB002';
        end if;
    end loop;
    return null;
exception
    when sqlstate 'HB002' then return v_refused;
end
$$;

-- Appends a batch. The caller has ordered it by tenant: t_* says how many appends, streams, events and
-- claims belong to each tenant, tenants ascending; the other arrays follow in that order, every index in
-- them counted from 1 over the whole batch.
--
-- s_expected: n exactly n events, 0 none, -1 any, -2 at least one. s_events: how many events the append
-- gives the stream; null for a stream that is only guarded. One append at most of a batch writes a stream, and
-- none beside it guards it; one at most has a given command id.
--
-- A row for each append: its index and outcome, and by outcome
--   appended, replayed: first and last position, [{kind, id, version}] of the written streams
--   mismatch: the command id was seen with another digest
--   conflict: first = index of the stream, last = its version
--   refused: first = index of the claim
--   unknown_tenant: there is no such log
create function append_batch(
    t_id uuid[], t_appends integer[], t_streams integer[], t_events integer[], t_claims integer[],
    a_command uuid[], a_digest bytea[], a_metadata text[], a_events integer[],
    s_append integer[], s_kind text[], s_id text[], s_expected bigint[], s_events integer[],
    e_append integer[], e_stream integer[], e_id uuid[], e_type text[], e_version text[], e_payload text[],
    c_append integer[], c_stream integer[], c_action text[], c_name text[], c_key text[],
    c_from timestamptz[], c_until timestamptz[], c_units integer[], c_limit integer[]
) returns table (r_append integer, r_outcome text, r_first bigint, r_last bigint, r_streams jsonb)
language plpgsql
-- Plans are kept for the connection's life, and the first are made while the tables are empty: whatever the
-- statistics say then, each look-up is to go by its index, so that an append costs the same at any size.
-- For the same reason each look-up in a table is a lateral with a limit: it is asked once per row, by key.
set enable_seqscan = off
as $$
declare
    v_head log_head;
    v_now timestamptz;
    v_micros bigint;
    v_next bigint;
    -- Filled beforehand: an array's bounds would else follow the first index assigned.
    v_outcome text[] := array_fill(null::text, array[cardinality(a_command)]);
    v_first bigint[] := array_fill(null::bigint, array[cardinality(a_command)]);
    v_last bigint[] := array_fill(null::bigint, array[cardinality(a_command)]);
    v_streams jsonb[] := array_fill(null::jsonb, array[cardinality(a_command)]);
    v_version bigint[] := array_fill(null::bigint, array[cardinality(s_append)]);
    v_versions bigint[];
    v_leaves bytea[];
    v_refused integer;
    v_row record;
    a_hi integer := 0;
    s_hi integer := 0;
    e_hi integer := 0;
    c_hi integer := 0;
    a_lo integer;
    s_lo integer;
    e_lo integer;
    c_lo integer;
begin
    for t in 1..cardinality(t_id) loop
        a_lo := a_hi + 1;
        a_hi := a_hi + t_appends[t];
        s_lo := s_hi + 1;
        s_hi := s_hi + t_streams[t];
        e_lo := e_hi + 1;
        e_hi := e_hi + t_events[t];
        c_lo := c_hi + 1;
        c_hi := c_hi + t_claims[t];

        perform set_config('hibachi.tenant', t_id[t]::text, true);
        -- The lock is what makes positions gap-free: the next writer reads the head after our commit.
        select * into v_head from log_head where tenant_id = t_id[t] for update;
        if not found then
            for a in a_lo..a_hi loop
                v_outcome[a] := 'unknown_tenant';
            end loop;
            continue;
        end if;
        v_now := greatest(clock_timestamp(), v_head.recorded_at);
        v_micros := extract(epoch from v_now) * 1000000;

        for v_row in
            select a.i, c.digest = a.digest as same, c.first_position, c.last_position, c.streams
            from unnest(a_command[a_lo:a_hi], a_digest[a_lo:a_hi]) with ordinality a (command, digest, i)
            cross join lateral (
                select k.digest, k.first_position, k.last_position, k.streams
                from commands k
                where k.tenant_id = t_id[t] and k.command_id = a.command
                limit 1
            ) c
        loop
            v_outcome[a_lo + v_row.i - 1] := case when v_row.same then 'replayed' else 'mismatch' end;
            v_first[a_lo + v_row.i - 1] := v_row.first_position;
            v_last[a_lo + v_row.i - 1] := v_row.last_position;
            v_streams[a_lo + v_row.i - 1] := v_row.streams;
        end loop;

        select array_agg(coalesce(v.sequence, 0) order by s.i) into v_versions
        from unnest(s_kind[s_lo:s_hi], s_id[s_lo:s_hi]) with ordinality s (kind, id, i)
        left join lateral (
            select e.sequence from events e
            where e.tenant_id = t_id[t] and e.aggregate_type = s.kind and e.aggregate_id = s.id
            order by e.sequence desc
            limit 1
        ) v on true;
        for s in s_lo..s_hi loop
            v_version[s] := v_versions[s - s_lo + 1];
            if v_outcome[s_append[s]] is null and (
                case s_expected[s]
                    when -1 then false
                    when -2 then v_version[s] = 0
                    else v_version[s] <> s_expected[s]
                end
            ) then
                v_outcome[s_append[s]] := 'conflict';
                v_first[s_append[s]] := s;
                v_last[s_append[s]] := v_version[s];
            end if;
        end loop;

        for v_row in
            select c.append, c_lo - 1 + min(c.i) as lo, c_lo - 1 + max(c.i) as hi
            from unnest(c_append[c_lo:c_hi]) with ordinality c (append, i)
            group by c.append
            order by c.append
        loop
            continue when v_outcome[v_row.append] is not null;
            v_refused := apply_claims(
                t_id[t], v_row.lo::integer, v_row.hi::integer, s_kind, s_id,
                c_stream, c_action, c_name, c_key, c_from, c_until, c_units, c_limit
            );
            if v_refused is not null then
                v_outcome[v_row.append] := 'refused';
                v_first[v_row.append] := v_refused;
            end if;
        end loop;

        v_next := v_head.position + 1;
        for a in a_lo..a_hi loop
            continue when v_outcome[a] is not null;
            v_outcome[a] := 'appended';
            v_first[a] := v_next;
            v_next := v_next + a_events[a];
            v_last[a] := v_next - 1;
            v_streams[a] := '[]';
        end loop;
        for s in s_lo..s_hi loop
            continue when v_outcome[s_append[s]] <> 'appended' or s_events[s] is null;
            v_streams[s_append[s]] := v_streams[s_append[s]]
                || jsonb_build_object('kind', s_kind[s], 'id', s_id[s], 'version', v_version[s] + s_events[s]);
        end loop;

        insert into commands
            (tenant_id, command_id, digest, first_position, last_position, streams, recorded_at)
        select t_id[t], a.command, a.digest, a.first, a.last, a.streams, v_now
        from unnest(
            a_command[a_lo:a_hi], a_digest[a_lo:a_hi], v_outcome[a_lo:a_hi],
            v_first[a_lo:a_hi], v_last[a_lo:a_hi], v_streams[a_lo:a_hi]
        ) a (command, digest, outcome, first, last, streams)
        where a.outcome = 'appended';

        continue when v_next = v_head.position + 1;
        with written as (
            insert into events (
                tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, event_id, command_id, recorded_at, leaf_hash
            )
            select
                t_id[t], n.position, n.kind, n.id, n.sequence, n.type, n.version,
                n.payload::json, n.metadata::json, n.event_id, n.command, v_now,
                event_leaf(
                    t_id[t], n.position, n.kind, n.id, n.sequence, n.type, n.version,
                    n.payload, n.metadata, n.event_id, n.command, v_micros
                )
            from (
                select
                    v_head.position + row_number() over (order by e.i) as position,
                    s_kind[e.stream] as kind,
                    s_id[e.stream] as id,
                    v_version[e.stream] + row_number() over (partition by e.stream order by e.i) as sequence,
                    e.type, e.version, e.payload, e.event_id,
                    a_metadata[e.append] as metadata,
                    a_command[e.append] as command
                from unnest(
                    e_append[e_lo:e_hi], e_stream[e_lo:e_hi], e_id[e_lo:e_hi],
                    e_type[e_lo:e_hi], e_version[e_lo:e_hi], e_payload[e_lo:e_hi]
                ) with ordinality e (append, stream, event_id, type, version, payload, i)
                where v_outcome[e.append] = 'appended'
            ) n
            returning position, leaf_hash
        )
        select array_agg(leaf_hash order by position) into v_leaves from written;
        perform close_block(v_head, v_leaves, v_now);
    end loop;

    return query
        select o.i::integer, o.outcome, o.first, o.last, o.streams
        from unnest(v_outcome, v_first, v_last, v_streams) with ordinality o (outcome, first, last, streams, i);
end
$$;
