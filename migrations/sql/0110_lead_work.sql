-- The work on leads: where each stands, when it is to be called, and what it came to.

alter table lead_list
    -- Local day that was wanted, and where the customer came from or nothing: what figures go by.
    add column wanted_on date not null default '1970-01-01',
    add column came_from text collate "C" not null default '',
    add column customer_id uuid,
    add column contacted_at timestamptz,
    add column contacts integer not null default 0,
    add column note jsonb,
    add column follow_up_at timestamptz,
    add column booking_id uuid,
    add column reason text collate "C",
    add column closed_at timestamptz,
    add column purged_at timestamptz;

create index lead_list_status on lead_list (tenant_id, generation, status, captured_at, lead_id);
create index lead_list_wanted on lead_list (tenant_id, generation, wanted_on, lead_id);
-- Only leads that are to be called.
create index lead_list_follow_up on lead_list (tenant_id, generation, follow_up_at, lead_id)
    where follow_up_at is not null;
