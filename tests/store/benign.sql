-- What must work there, because analysts need it: one query a line.
select severity, count(*) as n from findings group by all order by n desc
from findings select rule, count(*) filter (where state = 'new') as fresh group by rule having count(*) >= 1
select * from findings where path like 'src/%' and severity in ('critical', 'high') order by severity_rank, path limit 10
with worst as (select * from findings where severity_rank <= 1), by_path as (from worst) select path, count(*) from by_path group by path
select date_trunc('week', first_seen) as week, count(*) from findings group by week order by week
select f.message, w.reference, w.tags[1] from findings as f join work_items as w on w.id = f.item_id
select *, row_number() over (partition by path order by line) as place from findings qualify place = 1
select w.reference, count(f.id) from work_items as w left join findings as f on f.item_id = w.id group by w.reference
select stage, count(*) as items, median(seconds) / 3600 as hours from stage_times group by stage order by hours desc
select data ->> '$.text' as said from events where kind = 'work_item.commented' and happened_at > now() - interval 7 day
select path, list(distinct rule order by rule) as rules, string_agg(message, '; ') from findings group by path
select * exclude (message), upper(severity) as loud from findings where regexp_matches(message, '[a-z]+')
select severity from findings union all select priority from work_items except select 'low'
with recursive days(n) as (select 1 union all select n + 1 from days where n < 5) select n, count(f.id) from days left join findings as f on f.line = n group by n
select week.range as day from range(date '2026-11-01', date '2026-11-08', interval 1 day) as week
select case when line > 100 then 'far' else 'near' end as place, round(avg(line), 1) from findings group by 1
select exists(select 1 from approvals where status = 'open') as waits, (select max(line) from findings) as last
select list_transform(list(line), x -> x + 1), [x * 2 for x in [1, 2] if x > 1], {'a': 1}.a, map {'k': 1}['k'] from findings
select coalesce(symbol, 'none'), try_cast(line as varchar), line::double, cwe is null, not on_changed_line from findings
from findings pivot (count(*) for severity in ('high', 'low') group by path)
select distinct on (path) path, line, epoch(last_seen - first_seen) as age_s from findings order by path, line desc
describe findings
summarize findings
select count(*) as n from findings where severity = $severity and line < $below
