-- Keys that outlive their wrapping and persons that do not come back: master keys with names, a company's own
-- keys beside them, and a mark in place of each key that was destroyed.

-- What a company's look-ups and digests are made with. Wrapped here and not derived anew, so that another master
-- key changes neither. The row is made with the company's first use.
create table tenant_keys (
    tenant_id uuid primary key references log_head,
    -- Names the master key that wraps these two, and every key of a person that is made from now on.
    master_key_id bytea not null check (length(master_key_id) = 8),
    index_key bytea not null,
    digest_key bytea not null,
    created_at timestamptz not null default clock_timestamp()
);

alter table tenant_keys enable row level security;
alter table tenant_keys force row level security;
create policy tenant on tenant_keys using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert on tenant_keys to hibachi_app;
grant update (master_key_id, index_key, digest_key) on tenant_keys to hibachi_app;

-- A key is made where tenant_keys has a row, which refers to the head. This reference would have every new
-- person wait for the append at hand, which holds the head locked.
alter table subject_keys drop constraint subject_keys_tenant_id_fkey;

alter table subject_keys
    -- Null: wrapped before master keys had names.
    add column master_key_id bytea check (length(master_key_id) = 8),
    add column erased_at timestamptz,
    alter column wrapped_key drop not null,
    -- A key, or the mark that there will never be one again.
    add constraint subject_keys_key_or_mark check (
        (wrapped_key is null) = (erased_at is not null) and (erased_at is null or master_key_id is null)
    );

revoke delete on subject_keys from hibachi_app;
grant update (wrapped_key, master_key_id, erased_at) on subject_keys to hibachi_app;

create function refuse_revival() returns trigger
language plpgsql
as $$
begin
    raise exception 'a destroyed key stays destroyed: % on % refused', lower(tg_op), tg_table_name
        using errcode = 'HB001';
end
$$;

create trigger stays_destroyed before update on subject_keys
    for each row when (old.erased_at is not null) execute function refuse_revival();
create trigger never_removed before delete or truncate on subject_keys
    for each statement execute function refuse_revival();

-- Destroys the data keys of persons, for good and for whoever asks: to be called within the append that records
-- it. A person who never had a key never gets one.
create function destroy_subject_keys(a_tenant uuid, a_subjects uuid[], a_at timestamptz) returns void
language sql
as $$
    insert into subject_keys (tenant_id, subject_id, wrapped_key, erased_at)
    select distinct a_tenant, s, null::bytea, a_at from unnest(a_subjects) s
    order by s
    on conflict (tenant_id, subject_id) do update
    set wrapped_key = null, master_key_id = null, erased_at = excluded.erased_at
    where subject_keys.erased_at is null
$$;

-- In one round trip each: as with 0007, a function takes the tenant, sets it for its own transaction and answers.

create function read_subject_keys(a_tenant uuid, a_subjects uuid[]) returns setof subject_keys
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query
        select * from subject_keys k where k.tenant_id = a_tenant and k.subject_id = any(a_subjects);
end
$$;

create function read_tenant_keys(a_tenant uuid) returns setof tenant_keys
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true);
    return query select * from tenant_keys t where t.tenant_id = a_tenant;
end
$$;

-- Keeps a person's new key. False when there is one already, or the company is under another master key by now: the row
-- that names it is held, so that a rotation that has passed it misses no key.
create function keep_subject_key(a_tenant uuid, a_subject uuid, a_wrapped bytea, a_master_key_id bytea)
returns boolean
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true);
    insert into subject_keys (tenant_id, subject_id, wrapped_key, master_key_id)
    select t.tenant_id, a_subject, a_wrapped, t.master_key_id
    from tenant_keys t
    where t.tenant_id = a_tenant and t.master_key_id = a_master_key_id
    for share of t
    on conflict (tenant_id, subject_id) do nothing;
    return found;
end
$$;
