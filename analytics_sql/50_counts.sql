-- The clicks of each minute, article and segment; a plain GROUP BY, so no click is too late and no idle shard stalls it.
CREATE TEMPORARY VIEW counts AS
SELECT
  FLOOR(event_time TO MINUTE) AS `minute`,
  article_id,
  gender,
  age_band,
  region,
  COUNT(*) AS clicks
FROM segmented_clicks
GROUP BY
  FLOOR(event_time TO MINUTE),
  article_id,
  gender,
  age_band,
  region;
