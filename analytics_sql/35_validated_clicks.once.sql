-- Streaming, with repeated click ids dropped: each click validated once, a later one with the same click id rejected.
--
-- What counts as a repetition is a click id that a click which could be counted had before, so a click rejected for
-- another reason takes no id away. The state is a number for each click id; main.py sets how long it lives. A plain
-- OVER: a deduplication would leave out the repetitions without a row. Rejects pass beside it, or all without a click id
-- would be one key, in one task. The first TO_CHANGELOG has each click checked once for both ways, the second has each
-- click id looked up once for counts and rejects (35_validated_clicks.streaming.sql says why).
CREATE TEMPORARY VIEW once_checked_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM TO_CHANGELOG(input => TABLE checked_clicks);

CREATE TEMPORARY VIEW numbered_clicks AS
SELECT
  *,
  COUNT(*) OVER (PARTITION BY click_id ORDER BY looked_up_at) AS occurrence
FROM once_checked_clicks
WHERE reason IS NULL;

CREATE TEMPORARY VIEW once_clicks AS
SELECT
  click_id,
  clicked_at,
  user_id,
  article_id,
  platform,
  `position`,
  unparseable,
  event_time,
  CASE
    WHEN occurrence > 1
    THEN 'repeated_click_id'
  END AS reason
FROM numbered_clicks
UNION ALL
SELECT
  click_id,
  clicked_at,
  user_id,
  article_id,
  platform,
  `position`,
  unparseable,
  event_time,
  reason
FROM once_checked_clicks
WHERE reason IS NOT NULL;

CREATE TEMPORARY VIEW validated_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM TO_CHANGELOG(input => TABLE once_clicks);
