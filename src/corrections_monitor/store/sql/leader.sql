-- name: take
SELECT pg_advisory_lock(hashtext('corrections leader'))

-- name: alive
SELECT 1
