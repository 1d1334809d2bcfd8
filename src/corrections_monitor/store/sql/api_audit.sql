-- name: list_audit
-- Newest first.  Whose rows: the officers (of now or before) of the asker's offices; from a root office
-- everything, the system's own rows included.
SELECT a.seq, a.at_ms, a.actor, a.action, a.target, a.detail, encode(a.hash, 'hex') AS hash
FROM audit a
WHERE (EXISTS (SELECT FROM offices o
               WHERE o.office_id = %(office_id)s AND o.superseded_ms IS NULL AND o.parent_id IS NULL)
       OR a.actor IN (SELECT officer_id FROM officers WHERE office_id = ANY(%(offices)s)))
  AND (%(actor)s::text IS NULL OR a.actor = %(actor)s)
  AND (%(action)s::text IS NULL OR a.action = %(action)s)
  AND (%(target)s::text IS NULL OR a.target = %(target)s)
  AND a.at_ms >= %(from_ms)s AND a.at_ms < %(to_ms)s
  AND (%(before_seq)s::bigint IS NULL OR a.seq < %(before_seq)s)
ORDER BY a.seq DESC
LIMIT %(limit)s
