-- Who may do what: row-level security by tenant, the application's grants, and triggers that
-- refuse to change the log whoever asks.

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'log_head', 'events', 'log_blocks', 'commands', 'claims_unique', 'claims_capacity', 'subject_keys'
    ] loop
        execute format('alter table %I enable row level security, force row level security', v_table);
        -- No missing_ok: without a tenant there is an error, not an empty answer.
        execute format(
            'create policy tenant on %I using (tenant_id = current_setting(''hibachi.tenant'')::uuid)', v_table
        );
    end loop;
end
$$;

alter table organisations enable row level security, force row level security;
create policy tenant on organisations to hibachi_app
    using (tenant_id = current_setting('hibachi.tenant')::uuid);
-- The two directory functions below run as the owner, who is subject to row-level security too.
create policy directory on organisations for select to current_user using (true);

grant select, insert on organisations, events, log_blocks, commands to hibachi_app;
grant select, insert, update on log_head to hibachi_app;
grant select, insert, delete on claims_unique, claims_capacity, subject_keys to hibachi_app;

create function refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'the log is never changed: % on % refused', lower(tg_op), tg_table_name
        using errcode = 'HB001';
end
$$;

create trigger never_changed before update or delete or truncate on events
    for each statement execute function refuse_change();
create trigger never_changed before update or delete or truncate on log_blocks
    for each statement execute function refuse_change();

create function organisation_by_slug(a_slug text)
returns table (tenant_id uuid, slug text, name text, created_at timestamptz)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select o.tenant_id, o.slug, o.name, o.created_at from public.organisations o where o.slug = a_slug
$$;

create function list_organisations()
returns table (tenant_id uuid, slug text, name text, created_at timestamptz)
language sql stable security definer
set search_path = public, pg_temp
as $$
    select o.tenant_id, o.slug, o.name, o.created_at from public.organisations o order by o.slug
$$;

revoke execute on function organisation_by_slug(text), list_organisations() from public;
grant execute on function organisation_by_slug(text), list_organisations() to hibachi_app;
