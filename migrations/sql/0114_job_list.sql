-- Read model of the jobs that have failed at least once.

create table job_list (
    tenant_id uuid not null,
    generation integer not null,
    job_id uuid not null,
    version bigint not null,
    task text collate "C" not null,
    subject uuid not null,
    status text collate "C" not null,
    station_id uuid,
    attempts integer not null,
    code text collate "C" not null,
    first_failed_at timestamptz not null,
    changed_at timestamptz not null,
    retry_at timestamptz,
    reason text collate "C",
    primary key (tenant_id, generation, job_id)
);

create index job_list_changed on job_list (tenant_id, generation, changed_at, job_id);
create index job_list_status on job_list (tenant_id, generation, status, changed_at, job_id);

alter table job_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on job_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on job_list to hibachi_app;
