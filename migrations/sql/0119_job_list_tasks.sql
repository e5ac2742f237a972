-- Jobs of a task, what changed last first.

create index job_list_task on job_list (tenant_id, generation, task, changed_at, job_id);
