-- Fixes and band events.  {partitioning} is native range partitions, or nothing where the tables become
-- hypertables.  Both are cut by t_ms as sent.

-- Columns are ordered and sized for width (measured by benchmarks/store.py): degrees in units of 1e-7
-- (1 cm), speed in cm/s, heading in hundredths of a degree from -180 to 180.  The key has src before t_ms
-- because an index entry is then 8 bytes shorter; a device's few sources cost a track nothing.
CREATE TABLE fixes (
    t_ms bigint NOT NULL,
    arrival_ms bigint NOT NULL,
    device_no integer NOT NULL,
    lon_e7 integer NOT NULL,
    lat_e7 integer NOT NULL,
    acc_m real NOT NULL,
    src smallint NOT NULL,
    spd_cms smallint,
    hdg_cdeg smallint,
    PRIMARY KEY (device_no, src, t_ms)
) {partitioning};
CREATE INDEX fixes_arrival ON fixes USING brin (arrival_ms);

CREATE TABLE band_events (
    t_ms bigint NOT NULL,
    arrival_ms bigint NOT NULL,
    device_no integer NOT NULL,
    ev smallint NOT NULL,
    battery_pct smallint,
    PRIMARY KEY (device_no, ev, t_ms)
) {partitioning};
CREATE INDEX band_events_arrival ON band_events USING brin (arrival_ms);
