-- Hand-overs, stand-ins and rotations (target: the office): who comes on call must read the note, also of a
-- change that somebody above has made.
CREATE POLICY roster ON audit FOR SELECT TO corrections_api USING (
    action IN ('duty.handover', 'duty.stand-in', 'duty.rotation') AND target IN (SELECT visible_offices()));
CREATE INDEX audit_roster ON audit (target, seq)
    WHERE action IN ('duty.handover', 'duty.stand-in', 'duty.rotation');
