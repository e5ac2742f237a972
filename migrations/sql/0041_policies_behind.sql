-- Which tenants the policies have something to do for, in one look: whoever follows thousands of logs cannot ask each.

-- The function below runs as the owner, who is subject to row-level security too.
create policy directory on policy_checkpoints for select to current_user using (true);
create policy directory on policy_states for select to current_user using (true);

create index policy_states_wake on policy_states (wake_at) where wake_at is not null;

-- The tenants whose log goes on after one of these policies, or for whose processes the time has come.
create function policies_behind(p_policies text[], p_now timestamptz) returns table (tenant_id uuid)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select h.tenant_id
    from unnest(p_policies) p(policy)
    cross join public.log_head h
    left join public.policy_checkpoints c on c.tenant_id = h.tenant_id and c.policy = p.policy
    where h.position > coalesce(c.position, 0)
    union
    select s.tenant_id from public.policy_states s where s.wake_at <= p_now and s.policy = any (p_policies)
$$;

revoke execute on function policies_behind(text[], timestamptz) from public;
grant execute on function policies_behind(text[], timestamptz) to hibachi_app;
