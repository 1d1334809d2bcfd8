-- name: list
SELECT h.person_id, p.name, h.reason, h.held_by, h.held_ms
FROM legal_holds h JOIN people p ON p.person_id = h.person_id AND p.superseded_ms IS NULL
WHERE p.office_id = ANY(%(offices)s) ORDER BY h.person_id

-- name: set
INSERT INTO legal_holds (person_id, reason, held_by, held_ms)
SELECT p.person_id, %(reason)s, %(actor)s, %(now_ms)s FROM people p
WHERE p.person_id = %(person_id)s AND p.superseded_ms IS NULL AND p.category <> 'protected'
  AND p.office_id = ANY(%(offices)s)
ON CONFLICT (person_id) DO UPDATE SET reason = excluded.reason, held_by = excluded.held_by,
    held_ms = excluded.held_ms
RETURNING person_id

-- name: lift
DELETE FROM legal_holds h USING people p
WHERE h.person_id = %(person_id)s AND p.person_id = h.person_id AND p.superseded_ms IS NULL
  AND p.office_id = ANY(%(offices)s)
RETURNING h.person_id
