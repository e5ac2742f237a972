-- Read model of promo codes, and what a booking shows of its code and of what paying by card costs.

alter table booking_list
    add column card_fee_ppm bigint not null default 30000,
    add column promo_code text collate "C";

create table promo_list (
    tenant_id uuid not null,
    generation integer not null,
    promo_id uuid not null,
    version bigint not null,
    code text collate "C" not null,
    terms jsonb not null,
    uses bigint not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, generation, promo_id)
);

create index promo_list_created on promo_list (tenant_id, generation, created_at, promo_id);

alter table promo_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on promo_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on promo_list to hibachi_app;
