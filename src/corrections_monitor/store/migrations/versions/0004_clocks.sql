-- How far behind (negative: ahead) the device's clock was believed to be, ms: judged was t_ms + behind_ms.
-- NULL where nothing was set right, which costs no byte.
ALTER TABLE fixes ADD COLUMN behind_ms integer;
ALTER TABLE band_events ADD COLUMN behind_ms integer;
