-- name: find_login
-- Who logs in under a username, and the hash of the password last issued (none: no password yet).
SELECT o.officer_id, o.name, o.role, o.office_id, c.hash AS password_hash,
       CASE WHEN f.confirmed_ms IS NOT NULL THEN f.secret END AS factor_secret
FROM officers o
LEFT JOIN second_factors f ON f.officer_id = o.officer_id
LEFT JOIN credentials c ON c.kind = 'officer' AND c.id = o.officer_id AND c.revoked_ms IS NULL
WHERE o.username = %(username)s AND o.superseded_ms IS NULL

-- name: find_session
-- The officer of a session, as the cases have them now, with the offices of their jurisdiction.  A session
-- dies with the credential it was opened with: a revoked or new password ends it.
WITH RECURSIVE asker AS (
    SELECT o.officer_id, o.name, o.role, o.office_id, s.session_id, s.second_factor
    FROM sessions s
    JOIN officers o ON o.officer_id = s.officer_id AND o.superseded_ms IS NULL
    JOIN credentials c ON c.kind = 'officer' AND c.id = o.officer_id AND c.revoked_ms IS NULL
    WHERE s.token_sha256 = %(token_sha256)s AND s.expires_ms > %(now_ms)s AND s.created_ms >= c.created_ms
), down AS (
    SELECT office_id FROM asker
    UNION
    SELECT o.office_id FROM offices o JOIN down d ON d.office_id = o.parent_id WHERE o.superseded_ms IS NULL
)
SELECT officer_id AS principal_id, name, role, office_id, ARRAY(SELECT office_id FROM down) AS offices,
       session_id, second_factor, NULL::text[] AS scopes
FROM asker

-- name: find_service
-- A service by its token, with the offices it was issued for (all, when none was named).
WITH RECURSIVE asker AS (
    SELECT c.id, c.scopes, c.office_id FROM credentials c
    WHERE c.kind = 'service' AND c.revoked_ms IS NULL AND c.hash = %(hash)s
), down AS (
    SELECT o.office_id FROM offices o JOIN asker a
        ON o.office_id = a.office_id OR (a.office_id IS NULL AND o.parent_id IS NULL)
    WHERE o.superseded_ms IS NULL
    UNION
    SELECT o.office_id FROM offices o JOIN down d ON d.office_id = o.parent_id WHERE o.superseded_ms IS NULL
)
SELECT id AS principal_id, id AS name, 'auditor' AS role,
       coalesce(office_id, (SELECT min(o.office_id) FROM offices o
                            WHERE o.superseded_ms IS NULL AND o.parent_id IS NULL), '') AS office_id,
       ARRAY(SELECT office_id FROM down) AS offices, NULL::bigint AS session_id, true AS second_factor, scopes
FROM asker

-- name: open_session
-- Never older than the password it was opened with, whatever the clocks of two machines say.
INSERT INTO sessions (token_sha256, officer_id, created_ms, expires_ms, address, second_factor)
SELECT %(token_sha256)s, %(officer_id)s, greatest(%(now_ms)s, max(created_ms)), %(expires_ms)s, %(address)s,
       %(second_factor)s
FROM credentials WHERE kind = 'officer' AND id = %(officer_id)s AND revoked_ms IS NULL

-- name: close_session
DELETE FROM sessions WHERE token_sha256 = %(token_sha256)s

-- name: list_sessions
SELECT s.session_id, s.officer_id, o.name, o.office_id, s.created_ms, s.expires_ms, s.address, s.second_factor
FROM sessions s JOIN officers o ON o.officer_id = s.officer_id AND o.superseded_ms IS NULL
WHERE (%(officer_id)s::text IS NULL OR s.officer_id = %(officer_id)s)
  AND o.office_id = ANY(%(offices)s) AND s.expires_ms > %(now_ms)s
ORDER BY s.created_ms DESC, s.session_id DESC

-- name: end_session
DELETE FROM sessions s USING officers o
WHERE s.session_id = %(session_id)s AND o.officer_id = s.officer_id AND o.superseded_ms IS NULL
  AND (o.officer_id = %(own)s OR (%(others)s AND o.office_id = ANY(%(offices)s)))
RETURNING s.officer_id

-- name: end_sessions
-- Every session of these offices' officers, or of one of them; but the one that asks.
DELETE FROM sessions s USING officers o
WHERE o.officer_id = s.officer_id AND o.superseded_ms IS NULL AND o.office_id = ANY(%(offices)s)
  AND (%(officer_id)s::text IS NULL OR s.officer_id = %(officer_id)s) AND s.session_id <> %(kept)s
RETURNING s.officer_id, s.session_id

-- name: end_sessions_of
DELETE FROM sessions WHERE officer_id = %(officer_id)s

-- name: offer_factor
-- A secret that was never confirmed may be replaced; one that is in use may not.
INSERT INTO second_factors AS f (officer_id, secret, created_ms) VALUES (%(officer_id)s, %(secret)s, %(now_ms)s)
ON CONFLICT (officer_id) DO UPDATE SET secret = excluded.secret, created_ms = excluded.created_ms
WHERE f.confirmed_ms IS NULL
RETURNING officer_id

-- name: factor
SELECT secret, confirmed_ms FROM second_factors WHERE officer_id = %(officer_id)s

-- name: use_factor
-- Takes a time step, and with it every earlier one: of two uses of one code the second changes no row.
UPDATE second_factors SET last_step = %(step)s, confirmed_ms = coalesce(confirmed_ms, %(now_ms)s)
WHERE officer_id = %(officer_id)s AND last_step < %(step)s
RETURNING officer_id

-- name: session_has_factor
UPDATE sessions SET second_factor = true WHERE session_id = %(session_id)s

-- name: drop_factor
DELETE FROM second_factors f USING officers o
WHERE f.officer_id = %(officer_id)s AND o.officer_id = f.officer_id AND o.superseded_ms IS NULL
  AND o.office_id = ANY(%(offices)s)
RETURNING f.officer_id

-- name: drop_expired_sessions
DELETE FROM sessions WHERE expires_ms <= %(now_ms)s

-- name: is_led
-- Whether a daemon holds the lead: the advisory lock of leader.take, as pg_locks splits its 64 bits.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32 | objid::bigint) = hashtext('corrections leader')::bigint
) AS is_led
