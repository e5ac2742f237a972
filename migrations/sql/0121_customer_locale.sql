-- In which language a customer is written to.

alter table customer_list add column locale text collate "C";
