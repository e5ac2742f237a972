-- Read models of the people who sign in, and of the keys with which programs act for them.

create table user_list (
    tenant_id uuid not null,
    generation integer not null,
    user_id uuid not null,
    version bigint not null,
    email jsonb not null,
    role text collate "C" not null,
    stations jsonb not null,
    status text collate "C" not null,
    second_factor text collate "C" not null,
    locked_until timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, generation, user_id)
);

create index user_list_created on user_list (tenant_id, generation, created_at, user_id);

create table api_key_list (
    tenant_id uuid not null,
    generation integer not null,
    key_id uuid not null,
    user_id uuid not null,
    name text collate "C" not null,
    ends_with text collate "C" not null,
    permissions jsonb not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    reason text collate "C",
    created_at timestamptz not null,
    primary key (tenant_id, generation, key_id)
);

create index api_key_list_created on api_key_list (tenant_id, generation, created_at, key_id);
create index api_key_list_of_user on api_key_list (tenant_id, generation, user_id, created_at, key_id);

alter table user_list enable row level security, force row level security;
alter table api_key_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on user_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on api_key_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on user_list, api_key_list to hibachi_app;
