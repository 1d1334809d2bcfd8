-- TimescaleDB, where the extension is there: chunks are made by themselves, older ones are compressed by
-- its own policy, and the functions of the native road stay callable.
SELECT create_hypertable('fixes', 't_ms', chunk_time_interval => 86400000, create_default_indexes => false);
SELECT create_hypertable('band_events', 't_ms', chunk_time_interval => 86400000, create_default_indexes => false);

CREATE FUNCTION epoch_ms_now() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT (extract(epoch FROM now()) * 1000)::bigint $$;
SELECT set_integer_now_func('fixes', 'epoch_ms_now');
SELECT set_integer_now_func('band_events', 'epoch_ms_now');

ALTER TABLE fixes SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_no',
                       timescaledb.compress_orderby = 'src, t_ms');
ALTER TABLE band_events SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_no',
                             timescaledb.compress_orderby = 'ev, t_ms');
SELECT add_compression_policy('fixes', compress_after => 7 * 86400000::bigint);
SELECT add_compression_policy('band_events', compress_after => 7 * 86400000::bigint);

CREATE FUNCTION ensure_partitions(parent text, days bigint[]) RETURNS integer
LANGUAGE sql AS $$ SELECT 0 $$;

-- Compression does this work.
CREATE FUNCTION settle_partition(parent text, before_ms bigint) RETURNS integer
LANGUAGE sql AS $$ SELECT 0 $$;

CREATE FUNCTION drop_partitions(parent text, before_ms bigint) RETURNS integer
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT count(*)::integer FROM drop_chunks(parent::regclass, older_than => before_ms)
$$;
