-- name: lock
-- One save at a time; readers are not held up.
SELECT pg_advisory_xact_lock(hashtext('corrections cases'))

-- name: version
SELECT coalesce(max(version), 0), coalesce(max(recorded_ms), 0) FROM case_versions
WHERE %(as_of_ms)s::bigint IS NULL OR recorded_ms <= %(as_of_ms)s

-- name: recorded_at
SELECT recorded_ms FROM case_versions WHERE version = %s

-- name: add_version
INSERT INTO case_versions (version, recorded_ms, actor) VALUES (%s, %s, %s)

-- name: in_force
-- Those recorded by then and not superseded by then; of these, those recorded after since_ms.
SELECT {columns} FROM {table}
WHERE recorded_ms <= %(as_of_ms)s AND (superseded_ms IS NULL OR superseded_ms > %(as_of_ms)s)
  AND (%(since_ms)s::bigint IS NULL OR recorded_ms > %(since_ms)s)

-- name: ended
SELECT {key} FROM {table} WHERE superseded_ms > %(since_ms)s AND superseded_ms <= %(as_of_ms)s

-- name: close
UPDATE {table} SET superseded_ms = %s WHERE superseded_ms IS NULL AND ({key}) = ({values})

-- name: insert
INSERT INTO {table} ({columns}, recorded_ms) VALUES ({values}, %s)
