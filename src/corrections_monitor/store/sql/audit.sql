-- name: append
SELECT audit_append(%s, %s, %s, %s, %s)

-- name: chain
SELECT seq, at_ms, actor, action, target, detail::text, previous, hash FROM audit ORDER BY seq

-- name: head
SELECT seq, hash FROM audit_head

-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
