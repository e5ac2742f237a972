-- How many parties a line of the tax ledger counts at its place: a correction over several days moves one. Rows of older folds
-- count none until they are built anew.

alter table tax_ledger add column orders bigint not null default 0;
