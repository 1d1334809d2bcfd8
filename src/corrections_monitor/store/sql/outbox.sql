-- name: claim
-- next_attempt_ms of a claimed page is the end of its lease: a worker that died gives its pages back.
WITH due AS (
    SELECT page_id FROM pages
    WHERE state IN ('pending', 'claimed') AND next_attempt_ms <= %(now_ms)s
      AND channel <> ALL(%(skip_channels)s)
    ORDER BY severity DESC, next_attempt_ms, page_id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), judged AS (
    SELECT p.page_id, page_is_wanted(p, a) AS wanted
    FROM due JOIN pages p USING (page_id) JOIN alerts a USING (alert_id)
), changed AS (
    UPDATE pages p SET
        state = CASE WHEN wanted THEN 'claimed' ELSE 'moot' END,
        attempts = p.attempts + wanted::integer,
        next_attempt_ms = CASE WHEN wanted THEN %(now_ms)s + %(lease_ms)s ELSE p.next_attempt_ms END
    FROM judged j WHERE p.page_id = j.page_id
    RETURNING wanted, p.*
)
SELECT page_id, attempts, alert_id, round, step, officer_id, severity, due_ms, channel, address, purpose
FROM changed WHERE wanted ORDER BY severity DESC, due_ms, page_id

-- name: recheck
-- Just before sending: still ours, and still wanted?  If not wanted it is moot, and nobody sends it.
WITH judged AS (
    SELECT p.page_id, page_is_wanted(p, a) AS wanted
    FROM pages p JOIN alerts a USING (alert_id)
    WHERE p.page_id = %(page_id)s AND p.state = 'claimed' AND p.attempts = %(attempt)s
), changed AS (
    UPDATE pages p SET state = 'moot' FROM judged j WHERE p.page_id = j.page_id AND NOT j.wanted
)
SELECT coalesce((SELECT wanted FROM judged), false)

-- name: record
-- Only the holder of the claim records; a provider's report may raise 'sent' or 'unconfirmed' later.
UPDATE pages SET
    state = %(state)s, last_error = %(error)s,
    handed_ms = CASE WHEN %(state)s IN ('sent', 'delivered', 'unconfirmed') THEN %(at_ms)s ELSE handed_ms END,
    next_attempt_ms = coalesce(%(next_attempt_ms)s, next_attempt_ms)
WHERE page_id = %(page_id)s AND state = 'claimed' AND attempts = %(attempt)s

-- name: delivered
UPDATE pages SET state = 'delivered'
WHERE page_id = %s AND state IN ('sent', 'unconfirmed')

-- name: next_due
SELECT min(next_attempt_ms) FROM pages WHERE state IN ('pending', 'claimed')
