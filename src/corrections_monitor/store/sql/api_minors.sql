-- name: list
SELECT g.person_id, p.name, p.office_id, g.officers, g.reason, g.guarded_by, g.guarded_ms
FROM guarded_minors g JOIN people p ON p.person_id = g.person_id AND p.superseded_ms IS NULL
WHERE p.office_id = ANY(%(offices)s) ORDER BY g.person_id

-- name: ids
SELECT person_id FROM guarded_minors

-- name: set
INSERT INTO guarded_minors (person_id, officers, reason, guarded_by, guarded_ms)
SELECT p.person_id, %(officers)s, %(reason)s, %(actor)s, %(now_ms)s FROM people p
WHERE p.person_id = %(person_id)s AND p.superseded_ms IS NULL AND p.category <> 'protected'
  AND p.office_id = ANY(%(offices)s)
ON CONFLICT (person_id) DO UPDATE SET officers = excluded.officers, reason = excluded.reason,
    guarded_by = excluded.guarded_by, guarded_ms = excluded.guarded_ms
RETURNING person_id

-- name: lift
DELETE FROM guarded_minors g USING people p
WHERE g.person_id = %(person_id)s AND p.person_id = g.person_id AND p.superseded_ms IS NULL
  AND p.office_id = ANY(%(offices)s)
RETURNING g.person_id

-- name: may_open
SELECT may_open(%(person_id)s) AS may_open

-- name: strangers
SELECT o.id FROM unnest(%(officers)s::text[]) AS o (id)
WHERE NOT EXISTS (SELECT FROM officers f WHERE f.officer_id = o.id AND f.superseded_ms IS NULL)
