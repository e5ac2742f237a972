-- Read model of reviews: asked for, answered, published.

create table review_list (
    tenant_id uuid not null,
    generation integer not null,
    review_id uuid not null,
    version bigint not null,
    booking_id uuid not null,
    number text collate "C" not null,
    customer_id uuid not null,
    station_id uuid not null,
    chefs text collate "C" not null,
    event_on date not null,
    status text collate "C" not null,
    moderation text collate "C" not null,
    -- 1 to 5; 0 while there is none.
    rating integer not null,
    answered_through text collate "C" not null,
    reminders integer not null,
    clicks integer not null,
    escalated integer not null,
    respond_secs bigint not null,
    text jsonb,
    public_name jsonb,
    media jsonb not null,
    routing_mode text collate "C",
    risk_version text collate "C",
    shown jsonb not null,
    clicked jsonb not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    opened_at timestamptz,
    submitted_at timestamptz,
    ended_at timestamptz,
    -- When it was answered; until then, when it was asked for.
    listed_at timestamptz not null,
    moderated_at timestamptz,
    moderation_reason text collate "C",
    reply jsonb,
    replied_at timestamptz,
    coupon text collate "C",
    primary key (tenant_id, generation, review_id)
);

create index review_list_listed on review_list (tenant_id, generation, listed_at, review_id);
create index review_list_status on review_list (tenant_id, generation, status, listed_at, review_id);
create index review_list_moderation on review_list (tenant_id, generation, moderation, status, listed_at, review_id);
create index review_list_decided on review_list (tenant_id, generation, moderation, listed_at, review_id);
create index review_list_rating on review_list (tenant_id, generation, rating, listed_at, review_id);
create index review_list_published on review_list (tenant_id, generation, station_id, moderation, listed_at, review_id);
create index review_list_booking on review_list (tenant_id, generation, booking_id, listed_at, review_id);
create index review_list_customer on review_list (tenant_id, generation, customer_id, listed_at, review_id);
create index review_list_event on review_list (tenant_id, generation, event_on);

alter table review_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on review_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on review_list to hibachi_app;
