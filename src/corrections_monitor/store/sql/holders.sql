-- name: officer_username
SELECT username FROM officers WHERE officer_id = %(id)s AND superseded_ms IS NULL

-- name: officers
SELECT officer_id, username FROM officers WHERE superseded_ms IS NULL

-- name: is_device
SELECT EXISTS (SELECT FROM devices WHERE device_id = %(id)s AND superseded_ms IS NULL) AS is_device

-- name: is_office
SELECT EXISTS (SELECT FROM offices WHERE office_id = %(id)s AND superseded_ms IS NULL) AS is_office

-- name: bound_devices
-- Devices bound now or later, by id.
SELECT DISTINCT device_id FROM devices
WHERE superseded_ms IS NULL AND to_ms > %(now_ms)s
ORDER BY device_id
