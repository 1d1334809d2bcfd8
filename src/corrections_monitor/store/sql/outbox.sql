-- name: due
-- Of every lane its gravest, so that what waits in one hides none of another.
SELECT page_id, lane, channel, officer_id, urgent FROM (
    SELECT p.*, page_is_urgent(p) AS urgent, row_number() OVER (
        PARTITION BY lane ORDER BY page_is_urgent(p) DESC, severity DESC, next_attempt_ms, page_id) AS place
    FROM pages p
    WHERE state IN ('pending', 'claimed') AND next_attempt_ms <= %(now_ms)s AND lane <> ALL(%(full_lanes)s)
) waiting
WHERE place <= %(of_lane)s
ORDER BY urgent DESC, severity DESC, next_attempt_ms, page_id

-- name: hold
UPDATE pages p SET next_attempt_ms = h.until_ms
FROM unnest(%(page_ids)s::bigint[], %(until_ms)s::bigint[]) AS h (page_id, until_ms)
WHERE p.page_id = h.page_id AND p.state IN ('pending', 'claimed') AND p.next_attempt_ms <= %(now_ms)s

-- name: claim
-- next_attempt_ms of a claimed page is the end of its lease: a worker that died gives its pages back.
WITH due AS (
    SELECT page_id FROM pages
    WHERE page_id = ANY(%(page_ids)s) AND state IN ('pending', 'claimed') AND next_attempt_ms <= %(now_ms)s
    ORDER BY page_id
    FOR UPDATE SKIP LOCKED
), judged AS (
    SELECT p.page_id, p.digest_id IS NOT NULL OR page_is_wanted(p, a) AS wanted
    FROM due JOIN pages p USING (page_id) LEFT JOIN alerts a USING (alert_id)
), changed AS (
    UPDATE pages p SET
        state = CASE WHEN wanted THEN 'claimed' ELSE 'moot' END,
        attempts = p.attempts + wanted::integer,
        next_attempt_ms = CASE WHEN wanted THEN %(now_ms)s + %(lease_ms)s ELSE p.next_attempt_ms END
    FROM judged j WHERE p.page_id = j.page_id
    RETURNING wanted, p.*
)
SELECT page_id, attempts, coalesce(alert_id, digest_id), round, step, officer_id, severity, due_ms, purpose, channel, address, lane
FROM changed WHERE wanted ORDER BY severity DESC, due_ms, page_id

-- name: recheck
-- Just before sending: still ours, and still wanted?  If not wanted it is moot, and nobody sends it.
WITH judged AS (
    SELECT p.page_id, p.digest_id IS NOT NULL OR page_is_wanted(p, a) AS wanted
    FROM pages p LEFT JOIN alerts a USING (alert_id)
    WHERE p.page_id = %(page_id)s AND p.state = 'claimed' AND p.attempts = %(attempt)s
), changed AS (
    UPDATE pages p SET state = 'moot' FROM judged j WHERE p.page_id = j.page_id AND NOT j.wanted
)
SELECT coalesce((SELECT wanted FROM judged), false)

-- name: record
-- Only the holder of the claim records; a receipt may raise 'sent' or 'unconfirmed' later.
UPDATE pages SET
    state = %(state)s, last_error = %(error)s,
    handed_ms = CASE WHEN %(state)s IN ('sent', 'delivered', 'unconfirmed') THEN %(at_ms)s ELSE handed_ms END,
    next_attempt_ms = coalesce(%(next_attempt_ms)s, next_attempt_ms)
WHERE page_id = %(page_id)s AND state = 'claimed' AND attempts = %(attempt)s
RETURNING alert_id, officer_id, channel

-- name: next_turn
-- No channel of this turn will be known to have taken the page: those that stand in for it are due now.
UPDATE pages n SET next_attempt_ms = %(at_ms)s
FROM pages p
WHERE p.page_id = %(page_id)s AND n.turn = p.turn + 1 AND n.state = 'pending' AND n.attempts = 0
  AND (n.alert_id, n.round, n.purpose, n.step, n.officer_id)
    = (p.alert_id, p.round, p.purpose, p.step, p.officer_id)
  AND NOT EXISTS (
    SELECT FROM pages e
    WHERE (e.alert_id, e.round, e.purpose, e.step, e.officer_id, e.turn)
        = (p.alert_id, p.round, p.purpose, p.step, p.officer_id, p.turn)
      AND e.state NOT IN ('failed', 'unconfirmed'))

-- name: delivered
UPDATE pages SET state = 'delivered'
WHERE page_id = %s AND state IN ('sent', 'unconfirmed')
RETURNING alert_id, officer_id, channel

-- name: read
SELECT pages_read(%(alert_id)s, %(officer_id)s)

-- name: next_due
SELECT min(next_attempt_ms) FROM pages WHERE state IN ('pending', 'claimed')
