-- Bounded: each key once, final (TO_CHANGELOG exists in streaming mode only).
CREATE TEMPORARY VIEW published_counts AS
SELECT *
FROM counts;
