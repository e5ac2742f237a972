-- What customers agreed to be written by.

alter table customer_list
    add column sms_consent jsonb,
    add column email_consent jsonb;
