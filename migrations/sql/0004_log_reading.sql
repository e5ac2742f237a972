-- The last position recorded at or before an instant; 0 when there is none.
--
-- recorded_at never goes back as positions rise and positions have no holes, so that halving finds it
-- in some twenty probes of the primary key; an index by instant would cost every append instead.
create function position_at(a_tenant uuid, a_instant timestamptz) returns bigint
language plpgsql stable
as $$
declare
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
    v_recorded_at timestamptz;
begin
    select position into v_high from log_head where tenant_id = a_tenant;
    while v_low < v_high loop
        v_middle := v_low + (v_high - v_low + 1) / 2;
        select recorded_at into v_recorded_at from events where tenant_id = a_tenant and position = v_middle;
        if not found then
            raise exception 'position % is missing', v_middle using errcode = 'HB003';
        elsif v_recorded_at <= a_instant then
            v_low := v_middle;
        else
            v_high := v_middle - 1;
        end if;
    end loop;
    return v_low;
end
$$;
