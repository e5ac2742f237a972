-- Read model of escalations: what a person must take over, the worst and oldest first.

create table escalation_list (
    tenant_id uuid not null,
    generation integer not null,
    escalation_id uuid not null,
    version bigint not null,
    source text collate "C" not null,
    status text collate "C" not null,
    queue_rank integer not null,
    severity integer not null,
    code text collate "C" not null,
    reason text collate "C" not null,
    subject jsonb not null,
    conversation_id uuid,
    station_id uuid,
    customer_id uuid,
    assignee uuid,
    target_at timestamptz not null,
    opened_at timestamptz not null,
    joined_at timestamptz,
    resolved_at timestamptz,
    minutes_open bigint,
    note text collate "C",
    score integer,
    primary key (tenant_id, generation, escalation_id)
);

create index escalation_list_queue on escalation_list (tenant_id, generation, queue_rank, opened_at, escalation_id);
create index escalation_list_status
    on escalation_list (tenant_id, generation, status, queue_rank, opened_at, escalation_id);
create index escalation_list_source
    on escalation_list (tenant_id, generation, source, queue_rank, opened_at, escalation_id);
create index escalation_list_conversation
    on escalation_list (tenant_id, generation, conversation_id, queue_rank, opened_at, escalation_id);
create index escalation_list_station
    on escalation_list (tenant_id, generation, station_id, queue_rank, opened_at, escalation_id);

alter table escalation_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on escalation_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on escalation_list to hibachi_app;
