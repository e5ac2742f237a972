-- Claims over an interval: what only one stream may have at any instant, as a chef over the hours of a party.

-- Ships with Postgres; needed for an exclusion constraint that compares ids beside ranges.
create extension if not exists btree_gist;

create table claims_interval (
    tenant_id uuid not null,
    resource text not null,
    holder_kind text not null,
    holder_id text not null,
    from_at timestamptz not null,
    until_at timestamptz not null check (until_at > from_at),
    primary key (tenant_id, resource, holder_kind, holder_id, from_at),
    constraint claims_interval_alone
        exclude using gist (tenant_id with =, resource with =, tstzrange(from_at, until_at) with &&)
);

alter table claims_interval enable row level security, force row level security;
create policy tenant on claims_interval
    using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, delete on claims_interval to hibachi_app;

-- Takes an interval; false when the resource is taken at some instant of it. A stream holds one interval per resource
-- and start: taking again at the same start replaces it.
create function take_interval(
    a_tenant uuid, a_resource text, a_kind text, a_id text, a_from timestamptz, a_until timestamptz
) returns boolean
language plpgsql
as $$
begin
    delete from claims_interval
    where tenant_id = a_tenant and resource = a_resource
        and holder_kind = a_kind and holder_id = a_id and from_at = a_from;
    insert into claims_interval (tenant_id, resource, holder_kind, holder_id, from_at, until_at)
    values (a_tenant, a_resource, a_kind, a_id, a_from, a_until)
    on conflict on constraint claims_interval_alone do nothing;
    return found;
end
$$;
