-- name: newest
SELECT exchange_id, digest, state, base_version FROM exchanges ORDER BY exchange_id DESC LIMIT 1

-- name: supersede
-- What waited is overtaken by what came after it.
UPDATE exchanges SET state = 'superseded', content = NULL WHERE state IN ('pending', 'confirmed')
RETURNING exchange_id

-- name: put
INSERT INTO exchanges (came_ms, source, digest, base_version, state, difference, holes, faults, content, version)
VALUES (%(came_ms)s, %(source)s, %(digest)s, %(base_version)s, %(state)s, %(difference)s, %(holes)s, %(faults)s,
        %(content)s, %(version)s)
RETURNING exchange_id

-- name: confirmed
SELECT exchange_id, source, content, holes, decided_by, reason FROM exchanges WHERE state = 'confirmed'

-- name: applied
UPDATE exchanges SET state = 'applied', content = NULL, version = %(version)s, difference = %(difference)s
WHERE exchange_id = %(exchange_id)s AND state = 'confirmed'

-- name: again
-- Confirmed for less than it would do by now: it waits once more.
UPDATE exchanges SET state = 'pending', holes = %(holes)s, difference = %(difference)s, decided_by = NULL,
    decided_ms = NULL, reason = NULL, base_version = %(base_version)s
WHERE exchange_id = %(exchange_id)s AND state = 'confirmed'

-- name: spoiled
UPDATE exchanges SET state = 'faulty', faults = %(faults)s, content = NULL
WHERE exchange_id = %(exchange_id)s AND state = 'confirmed'

-- name: waiting
SELECT count(*) FROM exchanges WHERE state = 'pending'

-- name: list
SELECT exchange_id, came_ms, source, digest, state, difference, holes, faults, decided_by, decided_ms, reason, version
FROM exchanges WHERE (%(before_id)s::bigint IS NULL OR exchange_id < %(before_id)s)
ORDER BY exchange_id DESC LIMIT %(limit)s

-- name: one
SELECT exchange_id, came_ms, source, digest, state, difference, holes, faults, decided_by, decided_ms, reason, version
FROM exchanges WHERE exchange_id = %(exchange_id)s

-- name: decide
UPDATE exchanges SET state = %(state)s, decided_by = %(actor)s, decided_ms = %(now_ms)s, reason = %(reason)s,
    content = CASE WHEN %(state)s = 'refused' THEN NULL ELSE content END
WHERE exchange_id = %(exchange_id)s AND state = 'pending'
RETURNING exchange_id
