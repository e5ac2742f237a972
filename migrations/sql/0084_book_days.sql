-- The days that an account card has entries of, so that the books of a month are read from the cards of that month. Rows of
-- older folds have none until they are built anew.

alter table book_entries
    add column first_on date,
    add column last_on date;

create index book_entries_days on book_entries (tenant_id, generation, last_on, first_on);
