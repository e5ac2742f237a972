-- What proves that a person is a user, beside the password: where they are signed in, second factors, wrong guesses. Never
-- events: secrets do not belong into a log that keeps everything for ever, and what anybody may cause without being signed
-- in would let anybody fill it. Secrets are hashed where they are only compared, and sealed where they are used.

alter table credentials
    -- Wrong guesses in a row; those before failed_at minus a while do not count.
    add column failures integer not null default 0 check (failures >= 0),
    add column failed_at timestamptz,
    add column locked_until timestamptz;

create table second_factors (
    tenant_id uuid not null references log_head,
    user_id uuid not null,
    -- Sealed for its owner.
    secret text not null,
    -- No factor before it: somebody has begun and not gone on.
    confirmed_at timestamptz,
    -- The last time step of which a code was taken: none is taken twice, and none from before.
    last_step bigint not null default 0 check (last_step >= 0),
    primary key (tenant_id, user_id)
);

create table recovery_codes (
    tenant_id uuid not null,
    user_id uuid not null,
    code_hash bytea not null check (length(code_hash) = 32),
    primary key (tenant_id, user_id, code_hash),
    foreign key (tenant_id, user_id) references second_factors on delete cascade
);

-- One sign-in, for as long as it is prolonged: the family of its refresh tokens. From here down there is no reference to the
-- head of the log: every sign-in would hold on to it.
create table sessions (
    tenant_id uuid not null,
    session_id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    -- Where from, sealed for the person: address and program.
    origin text,
    primary key (tenant_id, session_id)
);

create index sessions_of_user on sessions (tenant_id, user_id, created_at);

create table refresh_tokens (
    tenant_id uuid not null,
    token_hash bytea not null check (length(token_hash) = 32),
    session_id uuid not null,
    -- A used one stays, so that it is known when it comes again.
    used_at timestamptz,
    primary key (tenant_id, token_hash),
    foreign key (tenant_id, session_id) references sessions on delete cascade
);

create index refresh_tokens_of_session on refresh_tokens (tenant_id, session_id);

create table sign_ins (
    tenant_id uuid not null,
    sign_in_id uuid not null,
    user_id uuid not null,
    tried_at timestamptz not null,
    outcome text not null check (outcome in ('signed_in', 'wrong', 'locked', 'second_factor')),
    origin text,
    primary key (tenant_id, sign_in_id)
);

create index sign_ins_of_user on sign_ins (tenant_id, user_id, sign_in_id);

create table api_key_uses (
    tenant_id uuid not null,
    key_id uuid not null,
    used_at timestamptz not null,
    primary key (tenant_id, key_id)
);

alter table second_factors enable row level security, force row level security;
alter table recovery_codes enable row level security, force row level security;
alter table sessions enable row level security, force row level security;
alter table refresh_tokens enable row level security, force row level security;
alter table sign_ins enable row level security, force row level security;
alter table api_key_uses enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on second_factors using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on recovery_codes using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on sessions using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on refresh_tokens using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on sign_ins using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
create policy tenant on api_key_uses using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on second_factors, recovery_codes, sessions, refresh_tokens, sign_ins to hibachi_app;
grant select, insert, update on api_key_uses to hibachi_app;
