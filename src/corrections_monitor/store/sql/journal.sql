-- name: append
-- Only the next number is taken: a daemon that lost its lead without knowing cannot write beside another.
INSERT INTO journal (batch_no, body)
SELECT %(batch_no)s, %(body)s
WHERE %(batch_no)s = 1 + greatest(
    (SELECT coalesce(max(batch_no), 0) FROM journal), (SELECT coalesce(max(batch_no), 0) FROM snapshots))

-- name: save_snapshot
INSERT INTO snapshots (batch_no, body) VALUES (%s, %s)
ON CONFLICT (batch_no) DO UPDATE SET body = excluded.body

-- name: drop_journal
DELETE FROM journal WHERE batch_no <= %s

-- name: drop_snapshots
DELETE FROM snapshots WHERE batch_no < %s

-- name: load_snapshot
SELECT batch_no, body FROM snapshots ORDER BY batch_no DESC LIMIT 1

-- name: rows_since
SELECT batch_no, body FROM journal WHERE batch_no > %s ORDER BY batch_no

-- name: put_state
INSERT INTO state (key, value, updated_ms) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms

-- name: get_state
SELECT value, updated_ms FROM state WHERE key = %s

-- name: wall_ms
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
