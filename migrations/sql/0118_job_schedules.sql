-- What recurs: for each company and task the rule, and when it is due next. Whoever finds that it is queues the job, and moves this on.

create table job_schedules (
    tenant_id uuid not null references log_head,
    task text collate "C" not null,
    -- As `daily 03:15`, by the clock of the company.
    rule text not null,
    -- IANA name of the zone that `next_at` was reckoned in.
    zone text not null,
    next_at timestamptz not null,
    -- The last time that was due, the job that came of it, and when the task was done last.
    last_due_at timestamptz,
    last_job_id uuid,
    last_done_at timestamptz,
    check ((last_due_at is null) = (last_job_id is null)),
    -- How far the task has come, in its own words: nothing personal stands here.
    mark jsonb,
    primary key (tenant_id, task)
);

create index job_schedules_due on job_schedules (next_at);

alter table job_schedules enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on job_schedules using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update on job_schedules to hibachi_app;

-- The function below runs as the owner, who is subject to row-level security too.
create policy directory on job_schedules for select to current_user using (true);

-- The tenants for which one of these tasks is due by then, or has no schedule yet.
create function job_schedules_due(p_tasks text[], p_now timestamptz) returns table (tenant_id uuid)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select s.tenant_id from public.job_schedules s where s.next_at <= p_now and s.task = any (p_tasks)
    union
    select h.tenant_id
    from unnest(p_tasks) t(task)
    cross join public.log_head h
    left join public.job_schedules s on s.tenant_id = h.tenant_id and s.task = t.task
    where h.position > 0 and s.task is null
$$;

revoke execute on function job_schedules_due(text[], timestamptz) from public;
grant execute on function job_schedules_due(text[], timestamptz) to hibachi_app;
