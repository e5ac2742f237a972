-- Read models of stations, customers and leads.

create table station_list (
    tenant_id uuid not null,
    generation integer not null,
    station_id uuid not null,
    version bigint not null,
    name text collate "C" not null,
    zone text collate "C" not null,
    zip text collate "C" not null,
    state text collate "C" not null,
    chef_count integer not null,
    settings jsonb not null,
    primary key (tenant_id, generation, station_id)
);

create index station_list_name on station_list (tenant_id, generation, name, station_id);

create table customer_list (
    tenant_id uuid not null,
    generation integer not null,
    customer_id uuid not null,
    version bigint not null,
    name jsonb not null,
    email jsonb,
    phone jsonb,
    email_key text collate "C",
    phone_key text collate "C",
    registered_at timestamptz not null,
    booking_count bigint not null,
    primary key (tenant_id, generation, customer_id)
);

create index customer_list_registered on customer_list (tenant_id, generation, registered_at, customer_id);
create index customer_list_email on customer_list (tenant_id, generation, email_key);
create index customer_list_phone on customer_list (tenant_id, generation, phone_key);

create table lead_list (
    tenant_id uuid not null,
    generation integer not null,
    lead_id uuid not null,
    version bigint not null,
    name jsonb not null,
    email jsonb,
    phone jsonb,
    station_id uuid not null,
    zip text collate "C" not null,
    wanted_start timestamp not null,
    guests integer not null,
    failure text collate "C" not null,
    source text collate "C",
    status text collate "C" not null,
    captured_at timestamptz not null,
    primary key (tenant_id, generation, lead_id)
);

create index lead_list_captured on lead_list (tenant_id, generation, captured_at, lead_id);
