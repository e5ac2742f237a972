-- Read models of conversations: where each stands, and what was said in it.

create table conversation_list (
    tenant_id uuid not null,
    generation integer not null,
    conversation_id uuid not null,
    version bigint not null,
    channel text collate "C" not null,
    customer_id uuid,
    station_id uuid,
    assistant_active boolean not null,
    escalation_id uuid,
    messages bigint not null,
    started_at timestamptz not null,
    last_at timestamptz not null,
    primary key (tenant_id, generation, conversation_id)
);

create index conversation_list_last on conversation_list (tenant_id, generation, last_at, conversation_id);

create table conversation_thread (
    tenant_id uuid not null,
    generation integer not null,
    position bigint not null,
    conversation_id uuid not null,
    author text collate "C" not null,
    channel text collate "C" not null,
    text jsonb not null,
    intent text collate "C",
    human_word text collate "C",
    human_only boolean not null,
    by_user uuid,
    posted_at timestamptz not null,
    primary key (tenant_id, generation, position)
);

create index conversation_thread_conversation
    on conversation_thread (tenant_id, generation, conversation_id, position);

alter table conversation_list enable row level security, force row level security;
alter table conversation_thread enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on conversation_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on conversation_thread using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on conversation_list, conversation_thread to hibachi_app;
