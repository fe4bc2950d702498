-- A replay: each distinct click once. Equal bytes are one click, for a delivery to S3 may be repeated, as a whole or in part.
--
-- From here on `clicks` is this view, as a temporary object hides a table of the same name. Rows with one digest are equal.
CREATE TABLE clicks_with_digest (
  digest STRING
) WITH (
  'flat-json.digest-column' = 'digest'
) LIKE clicks;

CREATE TEMPORARY VIEW clicks AS
SELECT DISTINCT *
FROM clicks_with_digest;
