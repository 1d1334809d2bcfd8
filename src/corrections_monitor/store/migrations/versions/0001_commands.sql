-- Commands to devices (下行指令): an outbox of their own.  A row is written in the transaction that decided it,
-- claimed under a lease, sent, and sent again until the device answers or expires_ms is reached.
CREATE TABLE commands (
    command_id text PRIMARY KEY, person_id text NOT NULL, device_id text NOT NULL, county_id text NOT NULL,
    cmd text NOT NULL, arg jsonb, issued_by text NOT NULL, origin text NOT NULL,
    alert_id text REFERENCES alerts, issued_ms bigint NOT NULL, expires_ms bigint NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'claimed', 'sent', 'done', 'failed', 'expired', 'superseded')),
    attempts integer NOT NULL DEFAULT 0, next_attempt_ms bigint NOT NULL,
    sent_ms bigint, answered_ms bigint, last_error text
);
CREATE INDEX commands_waiting ON commands (next_attempt_ms) WHERE state IN ('pending', 'claimed', 'sent');
CREATE INDEX commands_person ON commands (person_id, issued_ms DESC);
CREATE INDEX commands_device ON commands (device_id) WHERE state IN ('pending', 'claimed', 'sent');
