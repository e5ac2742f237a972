-- What proves that a person is a user. Never an event: the log keeps everything for ever.

create table credentials (
    tenant_id uuid not null references log_head,
    user_id uuid not null,
    -- Argon2id in the PHC form, with its salt and costs.
    password_hash text not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, user_id)
);

alter table credentials enable row level security;
alter table credentials force row level security;
create policy tenant on credentials using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert, update on credentials to hibachi_app;
