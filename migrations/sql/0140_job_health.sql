-- How the queues of jobs and of reactions that wait are, over all tenants: what the metrics show.

-- The function below runs as the owner, who is subject to row-level security too.
create policy directory on policy_waiting for select to current_user using (true);

-- Of each task how many jobs there are, how many of them could be done by now, how many a program is at, how many have
-- been tried before, and since when the oldest of those that could be done waits. Sums, and nothing of what they are for.
create function job_health(p_now timestamptz)
returns table (task text, jobs bigint, due bigint, held bigint, again bigint, due_since timestamptz)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select j.task, count(*),
        count(*) filter (where j.run_at <= p_now and not j.is_held),
        count(*) filter (where j.is_held),
        count(*) filter (where j.attempts > 1 or (j.attempts > 0 and not j.is_held)),
        min(j.run_at) filter (where j.run_at <= p_now and not j.is_held)
    from (
        select task, run_at, attempts, held_until is not null and held_until >= clock_timestamp() as is_held
        from public.jobs
    ) j
    group by j.task
    order by j.task
$$;

-- Of each policy in how many tenants it is behind its log, by how many events in all, and how much waits of it since a
-- reaction failed, from when on.
create function policy_health()
returns table (policy text, behind bigint, lag_events bigint, waiting bigint, waiting_since timestamptz)
language sql stable security definer
set search_path = public, pg_temp
as $$
    with waiting as (
        select w.policy, count(*) as waiting, min(w.since) as since from public.policy_waiting w group by w.policy
    )
    select c.policy, count(*) filter (where h.position > c.position),
        coalesce(sum(h.position - c.position) filter (where h.position > c.position), 0)::bigint,
        coalesce(max(w.waiting), 0), max(w.since)
    from public.policy_checkpoints c
    join public.log_head h on h.tenant_id = c.tenant_id
    left join waiting w on w.policy = c.policy
    group by c.policy
    order by c.policy
$$;

revoke execute on function job_health(timestamptz) from public;
revoke execute on function policy_health() from public;
grant execute on function job_health(timestamptz) to hibachi_app;
grant execute on function policy_health() to hibachi_app;
