begin transaction isolation level read uncommitted; show transaction_isolation; set transaction isolation level read committed; show transaction_isolation; commit;
set default_transaction_isolation = 'read uncommitted'; show default_transaction_isolation; show transaction_isolation; begin; show transaction_isolation; select current_setting('transaction_isolation'); commit;
set session characteristics as transaction isolation level repeatable read; show transaction_isolation; 
set session characteristics as transaction isolation level read uncommitted; show default_transaction_isolation;
begin; set transaction_isolation='read uncommitted'; show transaction_isolation; select 1; set transaction isolation level read committed; rollback;
begin isolation level read uncommitted; select 1; set transaction isolation level read uncommitted; show transaction_isolation; rollback;
