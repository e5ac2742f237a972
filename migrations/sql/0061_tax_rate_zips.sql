-- ZIP codes that a tax rate was loaded with.

alter table tax_rates add column zips text collate "C" not null default '';
