-- What is done beside the commands: a row for each job that is still to do. What became of it is in the log.

create table jobs (
    tenant_id uuid not null references log_head,
    job_id uuid not null,
    task text collate "C" not null,
    -- Id of what it is done to. No payload: nothing personal stands here.
    subject uuid not null,
    station_id uuid,
    -- The event that asked for it, and the business process that it belongs to.
    caused_by uuid not null,
    correlation text collate "C" not null,
    -- How often it was taken up since it was queued.
    attempts integer not null default 0 check (attempts >= 0),
    -- Not before this.
    run_at timestamptz not null,
    -- Who is at it, and until when if nothing more is heard of them.
    held_by uuid,
    held_until timestamptz,
    check ((held_by is null) = (held_until is null)),
    primary key (tenant_id, job_id)
);

create index jobs_due on jobs (run_at);
create index jobs_due_of_tenant on jobs (tenant_id, run_at);

alter table jobs enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on jobs using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on jobs to hibachi_app;

-- The function below runs as the owner, who is subject to row-level security too.
create policy directory on jobs for select to current_user using (true);

-- The tenants that have a job to do by then which nobody is at.
create function jobs_due(p_now timestamptz) returns table (tenant_id uuid)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select distinct j.tenant_id
    from public.jobs j
    where j.run_at <= p_now and (j.held_until is null or j.held_until < clock_timestamp())
$$;

revoke execute on function jobs_due(timestamptz) from public;
grant execute on function jobs_due(timestamptz) to hibachi_app;
