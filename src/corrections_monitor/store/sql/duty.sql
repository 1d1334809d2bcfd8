-- name: log
SELECT seq, at_ms, actor, action, target, detail FROM audit
WHERE action IN ('duty.handover', 'duty.stand-in', 'duty.rotation') AND target = ANY(%(offices)s)
ORDER BY seq DESC LIMIT %(limit)s
