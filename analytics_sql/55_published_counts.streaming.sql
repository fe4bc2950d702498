-- Streaming: the running count of each key that changed since the last checkpoint, as rows that are only ever added.
CREATE TEMPORARY VIEW published_counts AS
SELECT *
FROM TO_CHANGELOG(input => TABLE counts, op_mapping => MAP['INSERT, UPDATE_AFTER', 'set']);
