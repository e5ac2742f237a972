-- Answers that go out to customers by the channel that they wrote by: a job for each, and where those stand that have not gone
-- out.

-- Of a conversation there are several jobs: each is about a version of it.
alter table jobs add column version bigint;

alter table conversation_list
    add column waiting jsonb not null default '[]',
    add column undelivered jsonb not null default '[]';

-- Which of a conversation's versions the message made, for those that go out.
alter table conversation_thread add column outgoing bigint;
