-- How long the results of commands are kept: at least 30 days, then as long as the operator wants.

grant delete on commands to hibachi_app;

create function refuse_forgetting() returns trigger
language plpgsql
as $$
begin
    raise exception 'the result of a command is kept for 30 days' using errcode = 'HB001';
end
$$;

-- By the database's clock, which also dated the row.
create trigger kept_for_30_days before delete on commands
    for each row when (old.recorded_at > clock_timestamp() - interval '30 days')
    execute function refuse_forgetting();
create trigger never_truncated before truncate on commands
    for each statement execute function refuse_forgetting();

-- Up to where a company's results have been forgotten, as a position of its log.
create table command_sweeps (
    tenant_id uuid primary key references log_head,
    position bigint not null check (position >= 0)
);

alter table command_sweeps enable row level security;
alter table command_sweeps force row level security;
create policy tenant on command_sweeps using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert on command_sweeps to hibachi_app;
grant update (position) on command_sweeps to hibachi_app;

-- Commands that wrote no event: the sweep, which goes by events, would not meet them. No other command is in
-- this index, so that an append of events pays nothing for it.
create index commands_without_events on commands (tenant_id, first_position)
    where last_position < first_position;

-- Forgets results older than an age, over at most so many events; says how many results, and whether there is more.
--
-- Goes along the log, by primary keys alone: a command is as old as its events, and an index on its age would cost
-- every append. Of several that sweep one company at a time, one does.
create function sweep_commands(a_tenant uuid, a_age interval, a_events integer)
returns table (forgotten bigint, more boolean)
language plpgsql
as $$
declare
    v_after bigint;
    v_old bigint;
    v_until bigint;
    v_forgotten bigint;
    v_empty bigint;
    v_before timestamptz := clock_timestamp() - a_age;
begin
    insert into command_sweeps (tenant_id, position) values (a_tenant, 0) on conflict (tenant_id) do nothing;
    select s.position into v_after from command_sweeps s where s.tenant_id = a_tenant for update skip locked;
    if not found then
        return query select 0::bigint, false;
        return;
    end if;
    v_old := position_at(a_tenant, v_before);
    v_until := least(v_old, v_after + a_events);
    if v_until > v_after then
        delete from commands c
        using (
            select distinct e.command_id from events e
            where e.tenant_id = a_tenant and e.position > v_after and e.position <= v_until
        ) old
        where c.tenant_id = a_tenant and c.command_id = old.command_id and c.last_position <= v_until;
        get diagnostics v_forgotten = row_count;
        update command_sweeps s set position = v_until where s.tenant_id = a_tenant;
    else
        v_forgotten := 0;
    end if;
    delete from commands c
    where c.tenant_id = a_tenant and c.command_id in (
        select k.command_id from commands k
        where k.tenant_id = a_tenant and k.last_position < k.first_position and k.first_position <= v_old + 1
            and k.recorded_at < v_before
        order by k.first_position
        limit a_events
    );
    get diagnostics v_empty = row_count;
    return query select v_forgotten + v_empty, v_until < v_old or v_empty = a_events;
end
$$;
