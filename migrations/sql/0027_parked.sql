-- What the read models hold back, and what their checks have found.

-- A key, or a stream whose events do not tell theirs, that waits from an event on.
create table projection_parked (
    tenant_id uuid not null,
    projection text not null,
    generation integer not null,
    kind text not null check (kind in ('key', 'stream')),
    -- The key as JSON; the stream as kind:id.
    name text not null,
    -- The first event that waits.
    position bigint not null check (position > 0),
    event_type text not null,
    reason text not null,
    cause text not null check (cause in ('unreadable', 'panic', 'refused', 'behind')),
    -- How often it was tried again in vain.
    tries integer not null default 0 check (tries >= 0),
    parked_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, projection, generation, kind, name),
    foreign key (tenant_id, projection, generation) references projection_checkpoints on delete cascade
);

-- The events that wait, the first of each row or stream among them.
create table projection_waiting (
    tenant_id uuid not null,
    projection text not null,
    generation integer not null,
    position bigint not null check (position > 0),
    event_type text not null,
    stream text not null,
    -- The row that it is for, as JSON; null where that cannot be told.
    key text,
    primary key (tenant_id, projection, generation, position),
    foreign key (tenant_id, projection, generation) references projection_checkpoints on delete cascade
);

create index projection_waiting_key on projection_waiting (tenant_id, projection, generation, key)
    where key is not null;
create index projection_waiting_stream on projection_waiting (tenant_id, projection, generation, stream);

-- The last comparison of a generation's rows with the log.
create table projection_checks (
    tenant_id uuid not null,
    projection text not null,
    generation integer not null,
    checked_at timestamptz not null,
    position bigint not null check (position >= 0),
    -- Keys that were compared; null for all.
    sampled bigint check (sampled >= 0),
    -- How many rows are known to differ.
    differing bigint not null check (differing >= 0),
    -- The keys of some of them, as JSON.
    keys text[] not null,
    primary key (tenant_id, projection, generation),
    foreign key (tenant_id, projection, generation) references projection_checkpoints on delete cascade
);

create index projection_checks_drift on projection_checks (projection) where differing > 0;

do $$
declare
    v_table text;
begin
    foreach v_table in array array['projection_parked', 'projection_waiting', 'projection_checks'] loop
        execute format('alter table %I enable row level security, force row level security', v_table);
        execute format(
            'create policy tenant on %I using (tenant_id = current_setting(''hibachi.tenant'')::uuid)', v_table
        );
        execute format('grant select, insert, update, delete on %I to hibachi_app', v_table);
    end loop;
end
$$;

-- The function below runs as the owner, who is subject to row-level security too.
create policy directory on projection_checkpoints for select to current_user using (true);
create policy directory on projection_parked for select to current_user using (true);
create policy directory on projection_checks for select to current_user using (true);

-- How the live read models of all tenants are, in sums; nothing of what is in them. Of each read model it names the
-- tenant whose rows have stood still for longest while its log went on.
create function projection_health()
returns table (
    projection text, models bigint, behind bigint, lag_events bigint, worst_lag_events bigint, slowest uuid,
    slowest_position bigint, stopped bigint, parked bigint, drifted bigint, differing bigint, unchecked bigint,
    oldest_check timestamptz
)
language sql stable security definer
set search_path = public, pg_temp
as $$
    with live as (
        select c.tenant_id, c.projection, c.generation, c.position, c.stopped is not null as has_stopped,
            c.updated_at, h.position - c.position as lag
        from public.projection_checkpoints c
        join public.log_head h on h.tenant_id = c.tenant_id
        where c.status = 'live'
    ), parked as (
        select l.projection, count(*) as parked
        from public.projection_parked p
        join live l on l.tenant_id = p.tenant_id and l.projection = p.projection and l.generation = p.generation
        group by l.projection
    ), slowest as (
        select distinct on (l.projection) l.projection, l.tenant_id, l.position
        from live l
        where l.lag > 0
        order by l.projection, l.updated_at
    ), known as (
        select l.projection, count(*) as models, count(*) filter (where l.lag > 0) as behind,
            sum(l.lag)::bigint as lag_events, max(l.lag) as worst_lag_events,
            count(*) filter (where l.has_stopped) as stopped,
            count(*) filter (where k.differing > 0) as drifted, coalesce(sum(k.differing), 0)::bigint as differing,
            count(*) filter (where k.checked_at is null) as unchecked, min(k.checked_at) as oldest_check
        from live l
        left join public.projection_checks k
            on k.tenant_id = l.tenant_id and k.projection = l.projection and k.generation = l.generation
        group by l.projection
    )
    select k.projection, k.models, k.behind, k.lag_events, k.worst_lag_events, s.tenant_id, s.position, k.stopped,
        coalesce(p.parked, 0), k.drifted, k.differing, k.unchecked, k.oldest_check
    from known k
    left join parked p on p.projection = k.projection
    left join slowest s on s.projection = k.projection
    order by k.projection
$$;

revoke execute on function projection_health() from public;
grant execute on function projection_health() to hibachi_app;
