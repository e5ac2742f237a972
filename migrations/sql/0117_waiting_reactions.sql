-- Reactions that failed: what of a process waits for a job that tries again, in its order, while the policy goes on.

create table policy_waiting (
    tenant_id uuid not null,
    policy text not null,
    process text not null,
    -- The event that is to be reacted to; 0 for a time that the process waited for.
    position bigint not null check (position >= 0),
    -- When it happened.
    since timestamptz not null,
    -- What the job is about that reacts: the same for all of a process that waits.
    subject uuid not null,
    primary key (tenant_id, policy, process, position),
    foreign key (tenant_id, policy) references policy_checkpoints
);

create index policy_waiting_subject on policy_waiting (tenant_id, subject, position);

alter table policy_waiting enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on policy_waiting using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on policy_waiting to hibachi_app;

-- Whether any process of the policy waits: told by the row that whoever follows has locked, so that it costs no look.
alter table policy_checkpoints add column has_waiting boolean not null default false;

-- A time that has come is no event.
alter table jobs alter column caused_by drop not null;
