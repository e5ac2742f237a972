-- Read model of the periods of tax that are closed, or were.

create table tax_periods (
    tenant_id uuid not null,
    generation integer not null,
    state text collate "C" not null,
    from_on date not null,
    until_on date not null,
    name text collate "C" not null,
    status text collate "C" not null,
    position bigint,
    checksum text collate "C",
    net_tax_cents bigint,
    changed_at timestamptz not null,
    changed_by text collate "C" not null,
    reason text collate "C",
    version bigint not null,
    primary key (tenant_id, generation, state, from_on, until_on),
    check (from_on <= until_on)
);

alter table tax_periods enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on tax_periods using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on tax_periods to hibachi_app;
