-- name: member
-- Which office counts in which group: every office in the whole, and in the one below it that it belongs to.
WITH member AS (
    SELECT * FROM unnest(%(offices)s::text[], %(groups)s::text[]) AS m (office_id, group_id)
)

-- name: answered
-- Alerts opened in the time, drills left out, and how long until somebody answered and until it was resolved; for
-- those that page alone, for nobody is called to the others.  An acknowledgement that expired was one.
, told AS (
    SELECT m.group_id, a.severity, a.state, a.disposition, a.opened_ms,
           CASE WHEN a.severity >= %(paging)s
                THEN least(f.first_ms, a.acknowledged_ms, a.resolved_ms) - a.opened_ms END AS to_answer_ms,
           CASE WHEN a.severity >= %(paging)s THEN a.resolved_ms - a.opened_ms END AS to_resolve_ms
    FROM alerts a
    JOIN member m USING (office_id)
    LEFT JOIN LATERAL (
        SELECT min(t.at_ms) AS first_ms FROM alert_timeline t
        WHERE t.alert_id = a.alert_id AND t.what = 'acknowledged'
    ) f ON a.severity >= %(paging)s
    WHERE NOT a.drill AND a.opened_ms >= %(from_ms)s AND a.opened_ms < %(to_ms)s
)

-- name: figures
count(*) AS alerts,
count(*) FILTER (WHERE severity >= %(paging)s) AS paging,
count(*) FILTER (WHERE severity >= %(paging)s AND to_answer_ms IS NULL) AS unanswered,
count(*) FILTER (WHERE disposition IS NOT NULL AND disposition <> 'drill') AS found,
count(*) FILTER (WHERE disposition IN ('false_alarm', 'device_fault')) AS found_false,
percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY to_answer_ms) AS to_answer_ms,
percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY to_resolve_ms) AS to_resolve_ms

-- name: by_office
{member}
{answered}
SELECT group_id, {figures}
FROM told
GROUP BY group_id

-- name: by_day
{member}
{answered}
SELECT (to_timestamp(opened_ms / 1000.0) AT TIME ZONE %(zone)s)::date AS day, {figures}
FROM told
GROUP BY day
ORDER BY day

-- name: silent
-- People of whom a silence was told in the time, and of whom one lasts now.
{member}
SELECT m.group_id,
       count(DISTINCT e.person_id) FILTER (WHERE e.detected_ms >= %(from_ms)s) AS people_silent,
       count(DISTINCT e.person_id) FILTER (WHERE e.ended_ms IS NULL) AS people_silent_now
FROM episodes e
JOIN member m USING (office_id)
WHERE e.kind IN ('silence.device', 'silence.position', 'silence.band') AND e.detected_ms < %(to_ms)s
  AND (e.detected_ms >= %(from_ms)s OR e.ended_ms IS NULL)
GROUP BY m.group_id

-- name: people
{member}
SELECT m.group_id, count(*) AS people
FROM people p
JOIN member m USING (office_id)
WHERE p.superseded_ms IS NULL AND p.category <> 'protected'
  AND p.from_ms <= %(now_ms)s AND p.to_ms > %(now_ms)s
GROUP BY m.group_id
