-- Reading in one round trip: each function takes the tenant, sets it for its own transaction and answers. The caller
-- is still subject to row-level security: none is a security definer.
--
-- Plans are kept for the connection's life, and may be made while the tables are empty: whatever the statistics say
-- then, each look-up is to go by its index. Set with the tenant and not on the function, which costs more.

create function read_events(a_tenant uuid, a_after bigint, a_limit bigint, a_types text[]) returns setof events
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    if a_types is null then
        return query
            select * from events e
            where e.tenant_id = a_tenant and e.position > a_after
            order by e.position
            limit a_limit;
    else
        return query
            select * from events e
            where e.tenant_id = a_tenant and e.position > a_after and e.event_type = any(a_types)
            order by e.position
            limit a_limit;
    end if;
end
$$;

create function read_stream(a_tenant uuid, a_kind text, a_id text, a_after bigint) returns setof events
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query
        select * from events e
        where e.tenant_id = a_tenant and e.aggregate_type = a_kind and e.aggregate_id = a_id
            and e.sequence > a_after
        order by e.sequence;
end
$$;

create function read_head(a_tenant uuid) returns setof log_head
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query select * from log_head h where h.tenant_id = a_tenant;
end
$$;

create function read_position_at(a_tenant uuid, a_instant timestamptz) returns bigint
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return position_at(a_tenant, a_instant);
end
$$;

create function read_command(a_tenant uuid, a_command uuid) returns setof commands
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query select * from commands c where c.tenant_id = a_tenant and c.command_id = a_command;
end
$$;

create function read_unique_holder(a_tenant uuid, a_scope text, a_key text) returns setof claims_unique
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query
        select * from claims_unique c where c.tenant_id = a_tenant and c.scope = a_scope and c.key = a_key;
end
$$;
