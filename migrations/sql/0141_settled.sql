-- Whether every read model of a company holds the whole log, and the moment that they hold: an answer that was given at this
-- moment is the answer for as long as it lasts. In one round trip: the function takes the tenant, sets it for its own
-- transaction and answers.

-- No row where a read model is behind, stands still, holds rows back, or answers by another version of its fold than is asked
-- for. Else where the log ends, by which block, and which generations of rows answer, in the order of their names.
create function settled(a_tenant uuid, a_projections text[], a_fold_versions integer[])
returns table (head bigint, head_hash bytea, generations integer[])
language plpgsql
as $$
begin
    perform set_config('hibachi.tenant', a_tenant::text, true), set_config('enable_seqscan', 'off', true);
    return query
        select h.position, h.block_hash, array_agg(m.generation order by m.projection)
        from log_head h
        join projection_checkpoints m on m.tenant_id = h.tenant_id and m.status = 'live'
        join unnest(a_projections, a_fold_versions) f (name, version)
            on f.name = m.projection and f.version = m.fold_version
        where h.tenant_id = a_tenant
            and not exists (
                select from projection_parked p
                join projection_checkpoints l on l.tenant_id = p.tenant_id and l.projection = p.projection
                    and l.generation = p.generation and l.status = 'live'
                where p.tenant_id = a_tenant and p.projection = any(a_projections)
            )
        group by h.position, h.block_hash
        having count(*) = cardinality(a_projections)
            and bool_and(m.position = h.position and m.stopped is null);
end
$$;
