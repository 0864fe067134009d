-- What must not work for somebody whose SQL runs in a process that serves others: one attempt a line. SECRET is a file.
select * from 'SECRET'
select * from "SECRET"
from 'SECRET'
select * from read_text('SECRET')
select * from read_blob('SECRET')
select * from read_csv('SECRET')
select * from read_csv_auto('SECRET')
select * from read_json('SECRET')
select * from read_json_auto('SECRET')
select * from read_json_objects('SECRET')
select * from read_ndjson('SECRET')
select * from read_ndjson_objects('SECRET')
select * from read_parquet('SECRET')
select * from parquet_metadata('SECRET')
select * from sniff_csv('SECRET')
select * from glob('/*')
select content from read_text('/proc/self/environ')
select content from read_text('/etc/passwd')
copy (select 1) to 'SECRET.out'
copy findings to 'SECRET.out' (format parquet)
copy findings from 'SECRET'
export database 'SECRET.out'
import database 'SECRET.out'
attach 'SECRET' as other
attach ':memory:' as other
attach 'SECRET.out' as other
detach memory
use memory
install httpfs
load httpfs
load 'SECRET'
force install json
pragma database_list
pragma table_info('findings')
pragma show_tables
pragma version
pragma enable_profiling = 'json'
pragma threads = 64
set threads = 64
set memory_limit = '64GB'
set enable_external_access = true
set variable stolen = 1
reset memory_limit
select getvariable('stolen')
select getenv('CANARY')
select current_setting('secret_directory')
select * from duckdb_settings()
select * from duckdb_tables()
select * from duckdb_views()
select * from duckdb_columns()
select * from duckdb_secrets()
select * from duckdb_functions()
select * from duckdb_databases()
select * from duckdb_memory()
select * from duckdb_temporary_files()
select * from information_schema.tables
select * from information_schema.columns
select * from pg_catalog.pg_tables
select * from pg_class
select * from sqlite_master
select * from pragma_table_info('findings')
select * from pragma_storage_info('findings')
select * from pragma_database_size()
select * from pragma_user_agent()
select * from query('select 1')
select * from query_table('findings')
select * from query('from read_text(''SECRET'')')
select json_execute_serialized_sql(json_serialize_sql('select 1'))
from json_execute_serialized_sql(json_serialize_sql('select 1'))
select json_serialize_plan('select 1')
select json_serialize_sql('select 1')
prepare stolen as select 1
execute stolen
deallocate stolen
call pragma_version()
call duckdb_settings()
checkpoint
vacuum
analyze
begin transaction
commit
create table stolen as select 1
create view stolen as select 1
create or replace view findings as select 1
create temp view findings as select 1
create macro lower(x) as 'stolen'
create type stolen as enum ('a')
create sequence stolen
create schema stolen
create secret stolen (type s3)
create function stolen(x) as x
insert into findings values ('stolen')
update findings set message = 'stolen'
delete from findings
truncate findings
merge into findings using findings as f on true when matched then delete
drop table findings
drop view findings
alter table findings add column stolen int
comment on table findings is 'stolen'
explain select 1
explain analyze delete from findings
with stolen as (insert into findings values ('x') returning *) select * from stolen
with stolen as (delete from findings returning *) select * from stolen
with stolen as (update findings set message = 'x' returning *) select * from stolen
select 1; select 2
select 1; drop table findings
select 1 /* */; /* */ delete from findings
select * from main.findings
select * from memory.main.findings
select * from temp.findings
select * from snapshot.findings
select * from system.information_schema.tables
select main.lower('x')
select * from raw.findings
select * from principals
select * from tokens
select * from notes
select * from token
select * from canary
select * from sys
select * from findings at (version => 1)
select nextval('stolen')
select currval('stolen')
select setseed(0.5)
select write_log('stolen')
select * from (with findings as (from read_text('SECRET')) from findings)
with "SECRET" as (select 1) select * from (select 1), 'SECRET2'
select * from findings, (with hidden as (select 1) select * from hidden), hidden
select (select content from read_text('SECRET'))
select * from findings where message in (select content from read_text('SECRET'))
select list_transform([1], x -> (select count(*) from duckdb_tables()))
select case when 1 = 1 then getenv('CANARY') end
select message from findings order by getenv('CANARY')
select count(*) filter (where getenv('CANARY') is not null) from findings
select row_number() over (order by getenv('CANARY')) from findings
select * from findings limit (select count(*) from duckdb_tables())
select * from findings qualify getenv('CANARY') = 'x'
select * replace (getenv('CANARY') as message) from findings
select columns(x -> x = getenv('CANARY')) from findings
select * from findings join read_text('SECRET') on true
select * from unnest((select list(name) from duckdb_settings()))
select * from range((select count(*) from duckdb_tables()))
from findings pivot (any_value(getenv('CANARY')) for severity in ('high'))
summarize read_text('SECRET')
describe read_text('SECRET')
summarize duckdb_settings()
describe select * from duckdb_settings()
show tables
show all tables
show databases
values (getenv('CANARY'))
select cast('x' as stolen.type)
select try(getenv('CANARY'))
select version()
select current_user
select session_user
select current_role, current_catalog, current_schema
select current_database()
select current_schemas(true)
select current_query()
select txid_current()
select inet_server_addr()
select pg_sleep(60)
select sleep_ms(60000)
select error('stolen')
select test_all_types()
select * from test_all_types()
select * from repeat('x', 10)
select * from arrow_scan(1, 2, 3)
select * from arrow_scan_dumb(1, 2, 3)
select * from pandas_scan(1)
select * from python_map_function(1)
select * from seq_scan('findings')
select * from storage_info('findings')
select * from which_secret('x', 's3')
select * from duckdb_logs()
select * from enable_logging()
select * from force_checkpoint()
select * from checkpoint()
select * from read_duckdb('SECRET')
select * from st_read('SECRET')
select * from sqlite_scan('SECRET', 'x')
select * from postgres_scan('x', 'y', 'z')
select * from icu_calendar_names()
select * from pg_timezone_names()
