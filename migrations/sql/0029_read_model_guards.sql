-- Who may do what with the read models: the application alone, one tenant at a time.

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'projection_checkpoints', 'booking_list', 'payment_list', 'tax_ledger', 'tax_summary', 'tax_rates',
        'audit_trail', 'price_list', 'price_history', 'station_list', 'customer_list', 'lead_list'
    ] loop
        execute format('alter table %I enable row level security, force row level security', v_table);
        -- No missing_ok: without a tenant there is an error, not an empty answer.
        execute format(
            'create policy tenant on %I using (tenant_id = current_setting(''hibachi.tenant'')::uuid)', v_table
        );
        execute format('grant select, insert, update, delete on %I to hibachi_app', v_table);
    end loop;
end
$$;
