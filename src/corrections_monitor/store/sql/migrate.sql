-- name: lock
SELECT pg_advisory_lock(hashtext('corrections migrate'))

-- name: timescale_possible
-- In the database already, or preloaded by the server (which only some may ask).
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') OR CASE
    WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
    THEN current_setting('shared_preload_libraries') ~ 'timescaledb'
    ELSE false END

-- name: create_timescale
CREATE EXTENSION IF NOT EXISTS timescaledb

-- name: patience
-- Who waits for a table lets nobody else at it: not longer than devices may be kept waiting.
SELECT set_config('lock_timeout', :wait, false)

-- name: schema
SELECT version_num FROM alembic_version

-- name: show_schema
GRANT SELECT ON alembic_version TO corrections_engine, corrections_api
