-- name: take
SELECT pg_try_advisory_lock(hashtext('corrections leader'))

-- name: alive
SELECT 1

-- name: holder
-- The session in charge, and when it last began or ended a statement.
SELECT a.pid, a.state_change
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
  AND (l.classid::bigint << 32 | l.objid::bigint) = hashtext('corrections leader')::bigint
  AND a.state_change IS NOT NULL

-- name: as_login
SET LOCAL ROLE NONE

-- name: end_holder
SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid

-- name: next_term
SELECT nextval('leadership_term')

-- name: term
SELECT last_value FROM leadership_term

-- name: end_earlier
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE %s AND application_name <> %s
  AND pid <> pg_backend_pid()
