-- Each good click with the segment its reader had at the moment of the click; a reader in no version is 'unknown'.
CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  c.`moment`,
  c.article_id,
  COALESCE(s.gender, 'unknown') AS gender,
  COALESCE(s.age_band, 'unknown') AS age_band,
  COALESCE(s.region, 'unknown') AS region
FROM judged_clicks AS c
LEFT JOIN segments FOR SYSTEM_TIME AS OF c.looked_up_at AS s
  ON s.user_id = c.user_id
  AND s.as_of = c.`moment`
WHERE c.reason IS NULL;
