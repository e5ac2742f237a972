-- What a booking's page needs beyond the tables' columns: relations that no foreign key says, since a read model has none.
-- Both are single SELECTs that the planner takes into the question they are part of.

create function public.booking_list_cooks(booking public.booking_list) returns setof public.chef_list
    language sql stable
    as $$
        select chef.* from public.chef_list chef
        where chef.tenant_id = booking.tenant_id and chef.generation = booking.generation
            and chef.chef_id = any (string_to_array(nullif(booking.chefs, ''), ' ')::uuid[])
    $$;

create function public.booking_list_trail(booking public.booking_list) returns setof public.audit_trail
    language sql stable
    as $$
        select entry.* from public.audit_trail entry
        where entry.tenant_id = booking.tenant_id and entry.generation = booking.generation
            and entry.entity_id = booking.booking_id::text and entry.entity_type = 'booking'
        order by entry.position desc
    $$;

comment on table public.booking_list is E'@foreignKey (tenant_id, generation, customer_id) references public.customer_list (tenant_id, generation, customer_id)|@fieldName customer';
comment on table public.payment_list is E'@foreignKey (tenant_id, generation, booking_id) references public.booking_list (tenant_id, generation, booking_id)|@foreignFieldName payments';
