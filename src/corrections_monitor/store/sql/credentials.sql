-- name: revoke
UPDATE credentials SET revoked_ms = %(now_ms)s
WHERE kind = %(kind)s AND id = ANY(%(ids)s) AND revoked_ms IS NULL

-- name: add
INSERT INTO credentials (kind, id, hash, created_ms) VALUES (%s, %s, %s, %s)

-- name: add_service
-- Without scopes of its own it may do what its last token might: a rotation changes the secret alone.
INSERT INTO credentials (kind, id, hash, created_ms, scopes, office_id)
SELECT 'service', %(id)s, %(hash)s, %(now_ms)s, coalesce(%(scopes)s::text[], last.scopes),
       CASE WHEN %(scopes)s::text[] IS NULL THEN last.office_id ELSE %(office_id)s END
FROM (SELECT 1) one LEFT JOIN LATERAL (
    SELECT scopes, office_id FROM credentials WHERE kind = 'service' AND id = %(id)s
    ORDER BY credential_id DESC LIMIT 1) last ON true

-- name: find
SELECT hash FROM credentials WHERE kind = %s AND id = %s AND revoked_ms IS NULL

-- name: all
SELECT id, hash FROM credentials WHERE kind = %s AND revoked_ms IS NULL

-- name: find_by_hash
SELECT id FROM credentials WHERE kind = %s AND hash = %s AND revoked_ms IS NULL
