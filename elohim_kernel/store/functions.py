"""What SQL run on behalf of somebody may call: functions that look at their arguments and at nothing else.

A function is here because somebody can say what it reads. None of these reads files, settings, variables, the
environment, the catalogue or another statement, and none changes anything.
"""

from typing import Final

_OPERATORS: Final = "+ - * / // % ^ ** || | & << >> ~ ~~ !~~ ~~* !~~* ~~~ ->> @> <@ && ^@ <-> @ <=>"

_TEXT: Final = """
    ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein ends_with
    format hamming ilike_escape instr jaccard jaro_similarity jaro_winkler_similarity lcase left length levenshtein
    like_escape lower ltrim md5 not_ilike_escape not_like_escape ord parse_filename parse_path prefix
    printf regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array
    replace reverse right rtrim sha256 split split_part starts_with str_split str_split_regex string_split
    string_split_regex string_to_array strip_accents strlen strpos substr substring suffix to_base to_hex translate trim
    ucase unicode upper position
"""
_NUMBERS: Final = """
    abs add acos asin atan atan2 bin bit_count cbrt ceil ceiling cos cot degrees divide even exp factorial fdiv floor
    fmod gcd greatest hash isfinite isinf isnan lcm least ln log log10 log2 mod multiply pi pow power radians
    round sign sin sqrt subtract tan trunc xor
"""
_TIMES: Final = """
    age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
    dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day
    make_date make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname
    quarter second strftime strptime time_bucket timezone to_days to_hours to_microseconds to_milliseconds to_minutes
    to_months to_seconds to_timestamp to_weeks to_years try_strptime week weekday weekofyear year yearweek
    now today current_date get_current_timestamp current_localtimestamp transaction_timestamp
    to_quarters
"""
_NESTED: Final = """
    array_agg array_append array_cat array_concat array_contains array_distinct array_extract array_filter array_has
    array_has_all array_has_any array_indexof array_length array_position array_prepend array_slice array_sort
    array_to_string array_transform array_unique array_value cardinality element_at flatten len list_aggregate
    list_any_value list_append list_apply list_avg list_cat list_concat list_contains list_count list_distinct
    list_element list_extract list_filter list_first list_has list_has_all list_has_any list_indexof list_intersect
    list_last list_max list_median list_min list_pack list_position list_prepend list_reduce list_reverse
    list_reverse_sort list_slice list_sort list_sum list_transform list_unique list_value list_zip map map_contains
    map_entries map_extract map_from_entries map_keys map_values row struct_extract struct_extract_at struct_insert
    struct_pack unnest apply filter list range generate_series
"""
_JSON: Final = """
    json json_array json_array_length json_contains json_each json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_group_array json_group_object json_keys json_object json_structure
    json_type json_valid json_value from_json json_transform to_json
"""
_SUMS: Final = """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null
    argmax argmin avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop
    covar_samp entropy favg first fsum geomean geometric_mean group_concat histogram kurtosis
    last listagg mad max max_by mean median min min_by mode product quantile quantile_cont quantile_disc regr_avgx
    regr_avgy regr_count regr_intercept regr_r2 regr_slope sem skewness stddev stddev_pop stddev_samp string_agg sum
    sumkahan kahan_sum var_pop var_samp variance weighted_avg
"""
_WINDOWS: Final = (
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number"
)
_CHOICES: Final = "if nullif constant_or_null typeof"

_TYPES: Final = """
    array bigint bit blob bool boolean char date datetime decimal double enum float float4 float8 hugeint int int1 int2
    int4 int8 integer interval json list long map numeric real row short smallint string struct text time timestamp
    timestamp_ms timestamp_ns timestamp_s timestamptz timetz tinyint ubigint uhugeint uint uint16 uint32 uint64 uint8
    uinteger usmallint utinyint uuid varchar
"""

FUNCTIONS: Final = frozenset(
    " ".join((_OPERATORS, _TEXT, _NUMBERS, _TIMES, _NESTED, _JSON, _SUMS, _WINDOWS, _CHOICES)).split()
)
TABLE_FUNCTIONS: Final = frozenset({"generate_series", "json_each", "range", "unnest"})
TYPES: Final = frozenset({*_TYPES.split(), "time with time zone", "timestamp with time zone"})
