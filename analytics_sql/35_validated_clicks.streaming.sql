-- Streaming: each click validated once for both consumers below, counts and rejects.
--
-- Left to itself the planner copies the checks into both, at two times: a click whose age reaches the limit in between
-- would be counted and rejected, or neither. It does not look through TO_CHANGELOG.
CREATE TEMPORARY VIEW validated_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM TO_CHANGELOG(input => TABLE checked_clicks);
