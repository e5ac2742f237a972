-- The append again, for speed: what is the same for every event of a batch is asked once for all of them, and only
-- a batch that something is wrong with is looked at append by append.

-- Asked once per statement, where it was once per row. Without a tenant it is an error as before.
do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'log_head', 'events', 'log_blocks', 'commands', 'claims_unique', 'claims_capacity', 'subject_keys'
    ] loop
        execute format(
            'alter policy tenant on %I using (tenant_id = (select current_setting(''hibachi.tenant'')::uuid))', v_table
        );
    end loop;
end
$$;

-- Postgres reads the text of each check anew for each statement: a tenth of what one append costs. What these said is
-- so by what the functions below write, which alone may write here, and verifying the log proves it.
alter table log_head
    drop constraint log_head_position_check,
    drop constraint log_head_block_check,
    drop constraint log_head_block_hash_check;
alter table events
    drop constraint events_position_check,
    drop constraint events_sequence_check,
    drop constraint events_leaf_hash_check;
alter table log_blocks
    drop constraint log_blocks_block_check,
    drop constraint log_blocks_first_position_check,
    drop constraint log_blocks_check,
    drop constraint log_blocks_merkle_root_check,
    drop constraint log_blocks_block_hash_check;
alter table commands
    drop constraint commands_digest_check,
    drop constraint commands_check;

drop function append_batch;
drop function close_block;

-- As before, level by level, with an expression for each pair instead of a query for each level.
create or replace function merkle_root(a_leaves bytea[]) returns bytea
language plpgsql immutable parallel safe
as $$
declare
    v_level bytea[] := a_leaves;
    v_width integer := cardinality(a_leaves);
begin
    while v_width > 1 loop
        for i in 1..v_width / 2 loop
            v_level[i] := sha256('\x01'::bytea || v_level[2 * i - 1] || v_level[2 * i]);
        end loop;
        if v_width % 2 = 1 then
            v_level[(v_width + 1) / 2] := v_level[v_width];
        end if;
        v_width := (v_width + 1) / 2;
    end loop;
    return v_level[1];
end
$$;

create or replace function apply_claims(
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
            when 'take_interval' then
                v_granted := take_interval(a_tenant, c_name[c], v_kind, v_id, c_from[c], c_until[c]);
            when 'release_unique' then
                delete from claims_unique
                where tenant_id = a_tenant and scope = c_name[c] and key = c_key[c]
                    and holder_kind = v_kind and holder_id = v_id;
            when 'release_capacity' then
                delete from claims_capacity
                where tenant_id = a_tenant and resource = c_name[c]
                    and holder_kind = v_kind and holder_id = v_id;
            when 'release_interval' then
                delete from claims_interval
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

-- Appends to one tenant's log. Every index counts from 1 within the call.
--
-- a_*: the appends; s_*: the streams that they write or guard (s_events null: guarded only); e_*: the events, in
-- order, e_sequence counting from the version that the stream is expected to have; c_*: the claims, in order; k_*: the
-- persons whose keys are destroyed. a_lead, e_of_stream, e_of_type and e_of_ids are the parts of the events' canonical
-- form (event_leaf) that are known beforehand: up to the position, from there to the sequence, from there to the
-- payload, and from the metadata to the instant.
--
-- s_expected: n exactly n events, 0 none, -1 any, -2 at least one; a_exact: none of the last two is among them. One
-- append at most writes a stream, and none beside it guards it; one at most has a given command id.
--
-- Answers one row when every append is in and a_exact: r_append null, r_first the head's position before. Else a
-- row for each append, by outcome:
--   appended, replayed: first and last position, [{kind, id, version}] of the written streams
--   mismatch: the command id was seen with another digest
--   conflict: first = index of the stream, last = its version
--   refused: first = index of the claim
--   unknown_tenant: there is no such log
create function append_to_log(
    a_tenant uuid, a_lead bytea, a_exact boolean,
    a_command uuid[], a_digest bytea[], a_events integer[], a_streams jsonb[],
    s_append integer[], s_kind text[], s_id text[], s_expected bigint[], s_events integer[],
    e_append integer[], e_stream integer[], e_kind text[], e_stream_id text[], e_sequence bigint[],
    e_id uuid[], e_command uuid[], e_type text[], e_version text[], e_payload text[], e_metadata text[],
    e_of_stream bytea[], e_of_type bytea[], e_of_ids bytea[],
    c_append integer[], c_stream integer[], c_action text[], c_name text[], c_key text[],
    c_from timestamptz[], c_until timestamptz[], c_units integer[], c_limit integer[],
    k_append integer[], k_subject uuid[]
) returns table (r_append integer, r_outcome text, r_first bigint, r_last bigint, r_streams jsonb)
language plpgsql
as $$
declare
    v_head log_head;
    v_now timestamptz;
    v_micros bytea;
    v_well boolean;
    -- Filled beforehand: an array's bounds would else follow the first index assigned.
    v_outcome text[] := array_fill(null::text, array[cardinality(a_command)]);
    v_first bigint[] := array_fill(null::bigint, array[cardinality(a_command)]);
    v_last bigint[] := array_fill(null::bigint, array[cardinality(a_command)]);
    v_streams jsonb[] := a_streams;
    -- Where all is well every stream is at the version that is expected of it.
    v_versions bigint[] := s_expected;
    v_next bigint;
    v_refused integer;
    v_leaves bytea[];
    v_root bytea;
    v_row record;
    v_all boolean := a_exact;
begin
    r_outcome := set_config('hibachi.tenant', a_tenant::text, true);
    -- The lock is what makes positions gap-free: the next writer reads the head after our commit.
    select * into v_head from log_head where tenant_id = a_tenant for update;
    if not found then
        return query
            select i, 'unknown_tenant', null::bigint, null::bigint, null::jsonb
            from generate_series(1, cardinality(a_command)) i;
        return;
    end if;
    v_now := greatest(clock_timestamp(), v_head.recorded_at);
    v_micros := int8send((extract(epoch from v_now) * 1000000)::bigint);

    -- Each look-up in a table is a lateral with a limit: it is asked once per row, by key, whatever the plan was
    -- made for.
    select a_exact
        and not exists (
            select from unnest(a_command) a (command)
            cross join lateral (
                select from commands k where k.tenant_id = a_tenant and k.command_id = a.command limit 1
            ) c
        )
        and not exists (
            select from unnest(s_kind, s_id, s_expected) s (kind, id, expected)
            left join lateral (
                select e.sequence from events e
                where e.tenant_id = a_tenant and e.aggregate_type = s.kind and e.aggregate_id = s.id
                order by e.sequence desc
                limit 1
            ) v on true
            where coalesce(v.sequence, 0) <> s.expected
        )
    into v_well;

    if not v_well then
        for v_row in
            select a.i, c.digest = a.digest as same, c.first_position, c.last_position, c.streams
            from unnest(a_command, a_digest) with ordinality a (command, digest, i)
            cross join lateral (
                select k.digest, k.first_position, k.last_position, k.streams
                from commands k
                where k.tenant_id = a_tenant and k.command_id = a.command
                limit 1
            ) c
        loop
            v_outcome[v_row.i] := case when v_row.same then 'replayed' else 'mismatch' end;
            v_first[v_row.i] := v_row.first_position;
            v_last[v_row.i] := v_row.last_position;
            v_streams[v_row.i] := v_row.streams;
        end loop;

        select array_agg(coalesce(v.sequence, 0) order by s.i) into v_versions
        from unnest(s_kind, s_id) with ordinality s (kind, id, i)
        left join lateral (
            select e.sequence from events e
            where e.tenant_id = a_tenant and e.aggregate_type = s.kind and e.aggregate_id = s.id
            order by e.sequence desc
            limit 1
        ) v on true;
        for s in 1..cardinality(s_append) loop
            if v_outcome[s_append[s]] is null and (
                case s_expected[s]
                    when -1 then false
                    when -2 then v_versions[s] = 0
                    else v_versions[s] <> s_expected[s]
                end
            ) then
                v_outcome[s_append[s]] := 'conflict';
                v_first[s_append[s]] := s;
                v_last[s_append[s]] := v_versions[s];
            end if;
        end loop;
    end if;

    if cardinality(c_append) > 0 then
        for v_row in
            select c.append, min(c.i)::integer as lo, max(c.i)::integer as hi
            from unnest(c_append) with ordinality c (append, i)
            group by c.append
            order by c.append
        loop
            continue when v_outcome[v_row.append] is not null;
            v_refused := apply_claims(
                a_tenant, v_row.lo, v_row.hi, s_kind, s_id,
                c_stream, c_action, c_name, c_key, c_from, c_until, c_units, c_limit
            );
            if v_refused is not null then
                v_well := false;
                v_outcome[v_row.append] := 'refused';
                v_first[v_row.append] := v_refused;
            end if;
        end loop;
    end if;

    if not v_well then
        v_next := v_head.position + 1;
        for a in 1..cardinality(a_command) loop
            continue when v_outcome[a] is not null;
            v_outcome[a] := 'appended';
            v_first[a] := v_next;
            v_next := v_next + a_events[a];
            v_last[a] := v_next - 1;
            v_streams[a] := '[]';
        end loop;
        for s in 1..cardinality(s_append) loop
            continue when v_outcome[s_append[s]] <> 'appended' or s_events[s] is null;
            v_streams[s_append[s]] := v_streams[s_append[s]] || jsonb_build_object(
                'kind', s_kind[s], 'id', s_id[s], 'version', v_versions[s] + s_events[s]
            );
        end loop;
        return query
            select o.i::integer, o.outcome, o.first, o.last, o.streams
            from unnest(v_outcome, v_first, v_last, v_streams) with ordinality o (outcome, first, last, streams, i);

        -- What follows is for the winners alone.
        select
            array_agg(e.kind order by e.i), array_agg(e.stream_id order by e.i),
            array_agg(v_versions[e.stream] + e.sequence - greatest(s_expected[e.stream], 0) order by e.i),
            array_agg(e.type order by e.i), array_agg(e.version order by e.i), array_agg(e.payload order by e.i),
            array_agg(e.metadata order by e.i), array_agg(e.id order by e.i), array_agg(e.command order by e.i),
            array_agg(e.of_stream order by e.i), array_agg(e.of_type order by e.i), array_agg(e.of_ids order by e.i)
        into
            e_kind, e_stream_id, e_sequence, e_type, e_version, e_payload, e_metadata, e_id, e_command,
            e_of_stream, e_of_type, e_of_ids
        from unnest(
            e_append, e_stream, e_kind, e_stream_id, e_sequence, e_type, e_version, e_payload, e_metadata, e_id,
            e_command, e_of_stream, e_of_type, e_of_ids
        ) with ordinality e (
            append, stream, kind, stream_id, sequence, type, version, payload, metadata, id,
            command, of_stream, of_type, of_ids, i
        )
        where v_outcome[e.append] = 'appended';
        select array_agg(k.subject) into k_subject
        from unnest(k_append, k_subject) k (append, subject)
        where v_outcome[k.append] = 'appended';
        select
            array_agg(a.command order by a.i), array_agg(a.digest order by a.i), array_agg(a.events order by a.i),
            array_agg(a.streams order by a.i)
        into a_command, a_digest, a_events, a_streams
        from unnest(a_command, a_digest, a_events, v_streams, v_outcome)
            with ordinality a (command, digest, events, streams, outcome, i)
        where a.outcome = 'appended';
        if a_command is null then
            return;
        end if;
    end if;

    insert into commands (tenant_id, command_id, digest, first_position, last_position, streams, recorded_at)
    select
        a_tenant, a.command, a.digest, v_head.position + 1 + a.until - a.events, v_head.position + a.until, a.streams,
        v_now
    from (
        select u.command, u.digest, u.streams, u.events, sum(u.events) over (order by u.i) as until
        from unnest(a_command, a_digest, a_streams, a_events)
            with ordinality u (command, digest, streams, events, i)
    ) a;
    if cardinality(k_subject) > 0 then
        perform destroy_subject_keys(a_tenant, k_subject, v_now);
    end if;

    if cardinality(e_kind) > 0 then
        with written as (
            insert into events (
                tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, event_id, command_id, recorded_at, leaf_hash
            )
            select
                a_tenant, v_head.position + e.i, e.kind, e.stream_id, e.sequence, e.type, e.version,
                e.payload::json, e.metadata::json, e.id, e.command, v_now,
                sha256(
                    a_lead || int8send(v_head.position + e.i) || e.of_stream || int8send(e.sequence) || e.of_type
                    || int4send(octet_length(e.payload)) || convert_to(e.payload, 'UTF8')
                    || int4send(octet_length(e.metadata)) || convert_to(e.metadata, 'UTF8')
                    || e.of_ids || v_micros
                )
            from unnest(
                e_kind, e_stream_id, e_sequence, e_type, e_version, e_payload, e_metadata, e_id, e_command,
                e_of_stream, e_of_type, e_of_ids
            ) with ordinality e (
                kind, stream_id, sequence, type, version, payload, metadata, id, command,
                of_stream, of_type, of_ids, i
            )
            returning position, leaf_hash
        )
        select array_agg(leaf_hash order by position) into v_leaves from written;
        v_root := merkle_root(v_leaves);
        v_next := v_head.position + cardinality(v_leaves);
        v_leaves := null;
        with closed as (
            insert into log_blocks (
                tenant_id, block, first_position, last_position, merkle_root, block_hash, closed_at
            )
            values (
                a_tenant, v_head.block + 1, v_head.position + 1, v_next, v_root,
                sha256(v_head.block_hash || v_root || int8send(v_head.position + 1) || int8send(v_next)), v_now
            )
            returning block_hash
        )
        update log_head h
        set position = v_next, recorded_at = v_now, block = v_head.block + 1, block_hash = c.block_hash
        from closed c
        where h.tenant_id = a_tenant;
    end if;
    if v_well then
        r_outcome := 'appended';
        r_first := v_head.position;
        return next;
    end if;
end
$$;

-- Appends one event to one stream of one log, where nothing else is asked of the append: what most commands are when
-- little is going on. The same as append_to_log, without its arrays. Null when the command was seen before, the stream
-- is not at the version expected or there is no such log: nothing has happened then, and append_to_log says what it is.
create function append_event(
    a_tenant uuid, a_lead bytea, a_command uuid, a_digest bytea, a_streams jsonb,
    s_kind text, s_id text, s_expected bigint, e_id uuid, e_type text, e_version text, e_payload text, e_metadata text,
    e_of_stream bytea, e_of_type bytea, e_of_ids bytea
) returns bigint
language plpgsql
as $$
declare
    v_head log_head;
    v_now timestamptz;
    v_position bigint;
    v_at bytea;
    v_leaf bytea;
    v_hash bytea;
    v_tenant text;
begin
    v_tenant := set_config('hibachi.tenant', a_tenant::text, true);
    select * into v_head from log_head where tenant_id = a_tenant for update;
    v_now := greatest(clock_timestamp(), v_head.recorded_at);
    v_position := v_head.position + 1;
    v_at := int8send(v_position);
    v_leaf := sha256(
        a_lead || v_at || e_of_stream || int8send(s_expected + 1) || e_of_type
        || int4send(octet_length(e_payload)) || convert_to(e_payload, 'UTF8')
        || int4send(octet_length(e_metadata)) || convert_to(e_metadata, 'UTF8')
        || e_of_ids || int8send((extract(epoch from v_now) * 1000000)::bigint)
    );
    insert into events (
        tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, command_id, recorded_at, leaf_hash
    )
    select
        a_tenant, v_position, s_kind, s_id, s_expected + 1, e_type, e_version,
        e_payload::json, e_metadata::json, e_id, a_command, v_now, v_leaf
    where v_position is not null
        and not exists (select from commands k where k.tenant_id = a_tenant and k.command_id = a_command)
        and s_expected = coalesce((
            select e.sequence from events e
            where e.tenant_id = a_tenant and e.aggregate_type = s_kind and e.aggregate_id = s_id
            order by e.sequence desc
            limit 1
        ), 0);
    if not found then
        return null;
    end if;
    insert into commands (tenant_id, command_id, digest, first_position, last_position, streams, recorded_at)
    values (a_tenant, a_command, a_digest, v_position, v_position, a_streams, v_now);
    v_hash := sha256(v_head.block_hash || v_leaf || v_at || v_at);
    insert into log_blocks (tenant_id, block, first_position, last_position, merkle_root, block_hash, closed_at)
    values (a_tenant, v_head.block + 1, v_position, v_position, v_leaf, v_hash, v_now);
    update log_head set position = v_position, recorded_at = v_now, block = v_head.block + 1, block_hash = v_hash
    where tenant_id = a_tenant;
    return v_position;
end
$$;

-- Appends to the logs of several tenants in one transaction. t_* says how many appends, streams, events, claims and
-- subjects belong to each; the caller has ordered the tenants, so that two calls never wait for each other.
-- Arguments and answers are those of append_to_log, r_tenant counting the tenants from 1.
create function append_to_logs(
    t_id uuid[], t_lead bytea[], t_exact boolean[],
    t_appends integer[], t_streams integer[], t_events integer[], t_claims integer[], t_subjects integer[],
    a_command uuid[], a_digest bytea[], a_events integer[], a_streams jsonb[],
    s_append integer[], s_kind text[], s_id text[], s_expected bigint[], s_events integer[],
    e_append integer[], e_stream integer[], e_kind text[], e_stream_id text[], e_sequence bigint[],
    e_id uuid[], e_command uuid[], e_type text[], e_version text[], e_payload text[], e_metadata text[],
    e_of_stream bytea[], e_of_type bytea[], e_of_ids bytea[],
    c_append integer[], c_stream integer[], c_action text[], c_name text[], c_key text[],
    c_from timestamptz[], c_until timestamptz[], c_units integer[], c_limit integer[],
    k_append integer[], k_subject uuid[]
) returns table (r_tenant integer, r_append integer, r_outcome text, r_first bigint, r_last bigint, r_streams jsonb)
language plpgsql
as $$
declare
    ah integer := 0;
    sh integer := 0;
    eh integer := 0;
    ch integer := 0;
    kh integer := 0;
    al integer;
    sl integer;
    el integer;
    cl integer;
    kl integer;
begin
    for t in 1..cardinality(t_id) loop
        al := ah + 1;
        sl := sh + 1;
        el := eh + 1;
        cl := ch + 1;
        kl := kh + 1;
        ah := ah + t_appends[t];
        sh := sh + t_streams[t];
        eh := eh + t_events[t];
        ch := ch + t_claims[t];
        kh := kh + t_subjects[t];
        return query select t, o.* from append_to_log(
            t_id[t], t_lead[t], t_exact[t],
            a_command[al:ah], a_digest[al:ah], a_events[al:ah], a_streams[al:ah],
            s_append[sl:sh], s_kind[sl:sh], s_id[sl:sh], s_expected[sl:sh], s_events[sl:sh],
            e_append[el:eh], e_stream[el:eh], e_kind[el:eh], e_stream_id[el:eh], e_sequence[el:eh],
            e_id[el:eh], e_command[el:eh], e_type[el:eh], e_version[el:eh], e_payload[el:eh], e_metadata[el:eh],
            e_of_stream[el:eh], e_of_type[el:eh], e_of_ids[el:eh],
            c_append[cl:ch], c_stream[cl:ch], c_action[cl:ch], c_name[cl:ch], c_key[cl:ch],
            c_from[cl:ch], c_until[cl:ch], c_units[cl:ch], c_limit[cl:ch],
            k_append[kl:kh], k_subject[kl:kh]
        ) o;
    end loop;
end
$$;
