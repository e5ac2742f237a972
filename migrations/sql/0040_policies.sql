-- What policies remember: how far each has followed a tenant's log, and each process that it waits on.

create table policy_checkpoints (
    tenant_id uuid not null references log_head,
    policy text not null,
    position bigint not null default 0 check (position >= 0),
    -- Who alone follows for a while, and until when if nothing more is heard of them.
    held_by uuid,
    held_until timestamptz,
    primary key (tenant_id, policy)
);

create table policy_states (
    tenant_id uuid not null,
    policy text not null,
    process text not null,
    state jsonb not null,
    -- When to look at the process again if nothing happens before.
    wake_at timestamptz,
    primary key (tenant_id, policy, process),
    foreign key (tenant_id, policy) references policy_checkpoints
);

create index policy_states_due on policy_states (tenant_id, policy, wake_at) where wake_at is not null;

alter table policy_checkpoints enable row level security;
alter table policy_checkpoints force row level security;
create policy tenant on policy_checkpoints using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert, update on policy_checkpoints to hibachi_app;

alter table policy_states enable row level security;
alter table policy_states force row level security;
create policy tenant on policy_states using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert, update, delete on policy_states to hibachi_app;
