-- The clicks of each minute, article and segment; a plain GROUP BY, so no click is too late and no idle shard stalls it.
CREATE TEMPORARY VIEW counts AS
SELECT
  FLOOR(`moment` TO MINUTE) AS `minute`,
  article_id,
  gender,
  age_band,
  region,
  COUNT(*) AS clicks
FROM segmented_clicks
GROUP BY
  FLOOR(`moment` TO MINUTE),
  article_id,
  gender,
  age_band,
  region;
