-- Heads as they were signed on schedule. They prove something to whoever has kept the key, or a copy, elsewhere.

create table signed_heads (
    tenant_id uuid not null,
    position bigint not null check (position > 0),
    organisation text not null,
    block bigint not null check (block > 0),
    block_hash bytea not null check (length(block_hash) = 32),
    recorded_at timestamptz not null,
    signed_at timestamptz not null,
    -- The digests cover the events after this position.
    since_position bigint not null check (since_position >= 0 and since_position < position),
    payloads_digest bytea not null check (length(payloads_digest) = 32),
    metadata_digest bytea not null check (length(metadata_digest) = 32),
    key_id bytea not null check (length(key_id) = 32),
    public_key bytea not null check (length(public_key) = 32),
    signature bytea not null check (length(signature) = 64),
    primary key (tenant_id, position)
);

alter table signed_heads enable row level security;
alter table signed_heads force row level security;
create policy tenant on signed_heads using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert on signed_heads to hibachi_app;

create trigger never_changed before update or delete or truncate on signed_heads
    for each statement execute function refuse_change();

-- The number of the block that a position is in; null when it is in none. Blocks are numbered without holes and
-- in the order of positions, so that halving finds it; an index by position would cost every append instead.
create function block_of(a_tenant uuid, a_position bigint) returns bigint
language plpgsql stable
as $$
declare
    v_low bigint := 1;
    v_high bigint;
    v_middle bigint;
    v_block log_blocks;
begin
    select block into v_high from log_head where tenant_id = a_tenant;
    while v_low <= v_high loop
        v_middle := v_low + (v_high - v_low) / 2;
        select * into v_block from log_blocks where tenant_id = a_tenant and block = v_middle;
        if not found then
            raise exception 'block % is missing', v_middle using errcode = 'HB003';
        elsif a_position < v_block.first_position then
            v_high := v_middle - 1;
        elsif a_position > v_block.last_position then
            v_low := v_middle + 1;
        else
            return v_middle;
        end if;
    end loop;
    return null;
end
$$;
