-- Read model of the company's own wordings of messages.

create table message_template_list (
    tenant_id uuid not null,
    generation integer not null,
    template_id uuid not null,
    version bigint not null,
    kind text collate "C" not null,
    channel text collate "C" not null,
    locale text collate "C" not null,
    number bigint not null,
    words jsonb not null,
    history jsonb not null,
    saved_at timestamptz not null,
    retired_at timestamptz,
    reason text collate "C",
    primary key (tenant_id, generation, template_id)
);

create index message_template_list_for on message_template_list
    (tenant_id, generation, kind, channel, locale, template_id);

alter table message_template_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on message_template_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on message_template_list to hibachi_app;
