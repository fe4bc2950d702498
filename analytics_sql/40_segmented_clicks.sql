-- Each click that is not rejected, with the segment its reader had when the click happened; a reader in no version is 'unknown'.
CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  c.event_time,
  c.article_id,
  COALESCE(s.gender, 'unknown') AS gender,
  COALESCE(s.age_band, 'unknown') AS age_band,
  COALESCE(s.region, 'unknown') AS region
FROM validated_clicks AS c
LEFT JOIN segments FOR SYSTEM_TIME AS OF c.looked_up_at AS s
  ON s.user_id = c.user_id
  AND s.as_of = c.event_time
WHERE c.reason IS NULL;
