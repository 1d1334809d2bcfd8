-- name: matching
-- Which episodes fit the filters: what every statement below is about.
FROM episodes e
LEFT JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
LEFT JOIN alerts a ON a.alert_id = e.alert_id
WHERE e.office_id = ANY(%(offices)s)
  AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s))
  AND (%(dispositions)s::text[] IS NULL OR a.disposition = ANY(%(dispositions)s))
  AND (%(person_id)s::text IS NULL OR e.person_id = %(person_id)s)
  AND (%(severities)s::smallint[] IS NULL OR e.severity = ANY(%(severities)s))
  AND (%(kinds)s::text[] IS NULL OR e.kind = ANY(%(kinds)s))
  -- The C collation folds ASCII alone, which is all that Chinese mixed with codes needs, at a tenth of the time.
  AND (%(text)s::text IS NULL OR position(%(text)s in lower(e.reason COLLATE "C")) > 0
       OR e.person_id IN (SELECT person_id FROM people WHERE superseded_ms IS NULL
                          AND (person_id = %(text)s OR position(%(text)s in lower(name COLLATE "C")) > 0))
       OR e.alert_id IN (SELECT alert_id FROM alerts
                         WHERE note <> '' AND position(%(text)s in lower(note COLLATE "C")) > 0))
  -- An episode is in the interval when it lasted within it.
  AND e.started_ms < %(to_ms)s
  AND (e.ended_ms IS NULL OR e.ended_ms > %(from_ms)s OR e.started_ms >= %(from_ms)s)

-- name: list
-- In the order asked for; ties by detection.  A page ends where the next begins, whatever is added meanwhile.
SELECT e.*, p.name AS person_name, a.state, a.disposition, {key} AS sort_key
{matching}
  AND ({bound} IS NULL OR ({key}, e.detected_ms, e.episode_id) {beyond}
       ({bound}, %(after_ms)s::bigint, %(after_id)s::text))
ORDER BY {key} {direction}, e.detected_ms {direction}, e.episode_id {direction}
LIMIT %(limit)s

-- name: one
SELECT e.*, p.name AS person_name, a.state, a.disposition
FROM episodes e
LEFT JOIN people p ON p.person_id = e.person_id AND p.superseded_ms IS NULL
LEFT JOIN alerts a ON a.alert_id = e.alert_id
WHERE e.office_id = ANY(%(offices)s) AND e.episode_id = %(episode_id)s

-- name: total
SELECT count(*) AS episodes
{matching}

-- name: counts
SELECT {groups}, count(*) AS episodes, count(*) FILTER (WHERE e.ended_ms IS NULL) AS ongoing,
       count(DISTINCT e.person_id) AS people
{matching}
GROUP BY {numbers}
ORDER BY {numbers}
LIMIT %(limit)s
