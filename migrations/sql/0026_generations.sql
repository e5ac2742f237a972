-- Generations that are no longer kept: nobody reads them from the moment that they are called so, their rows are
-- removed piece by piece, and their checkpoint with the last of them.

alter table projection_checkpoints
    drop constraint projection_checkpoints_status_check,
    add constraint projection_checkpoints_status_check
        check (status in ('building', 'live', 'retired', 'discarded'));
