-- Native range partitions, one UTC day each.  ATTACH takes a lock that neither readers nor writers of the
-- parent wait for; CREATE … PARTITION OF would stop both.
CREATE FUNCTION ensure_partitions(parent text, days bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    day bigint;
    child text;
    made integer := 0;
BEGIN
    IF parent NOT IN ('fixes', 'band_events') THEN
        RAISE EXCEPTION 'table % is not partitioned', parent;
    END IF;
    FOREACH day IN ARRAY days LOOP
        child := parent || '_d' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD');
        CONTINUE WHEN to_regclass(child) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(hashtext('corrections partitions'));
        CONTINUE WHEN to_regclass(child) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', child, parent);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                       parent, child, day * 86400000, (day + 1) * 86400000);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- A day that is over is rewritten in key order, once: its index is then full (a third smaller than one grown
-- at as many ends as there are devices), and a track lies together.  Only that old day is locked meanwhile.
CREATE FUNCTION settle_partition(parent text, before_ms bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    child regclass;
    key regclass;
BEGIN
    IF parent NOT IN ('fixes', 'band_events') THEN
        RAISE EXCEPTION 'table % is not partitioned', parent;
    END IF;
    SELECT c.oid, x.indexrelid INTO child, key
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_index x ON x.indrelid = c.oid
    WHERE i.inhparent = to_regclass(parent) AND x.indisprimary AND NOT x.indisclustered
      AND (extract(epoch FROM to_date(right(c.relname, 8), 'YYYYMMDD'))::bigint + 86400) * 1000 <= before_ms
    ORDER BY c.relname LIMIT 1;
    IF child IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CLUSTER %s USING %I', child, (SELECT relname FROM pg_class WHERE oid = key));
    RETURN 1;
END $$;

CREATE FUNCTION drop_partitions(parent text, before_ms bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    child regclass;
    dropped integer := 0;
BEGIN
    IF parent NOT IN ('fixes', 'band_events') THEN
        RAISE EXCEPTION 'table % is not partitioned', parent;
    END IF;
    FOR child IN
        SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(parent)
          AND (extract(epoch FROM to_date(right(c.relname, 8), 'YYYYMMDD'))::bigint + 86400) * 1000 <= before_ms
    LOOP
        EXECUTE format('DROP TABLE %s', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
