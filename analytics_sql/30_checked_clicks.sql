-- Every click with its moment and, where it can't be counted, the first reason in the order below (NULL: it counts).
--
-- A clock that is wrong in one client rejects that client's clicks and delays nobody, for there is no watermark.
-- The format hands numbers and booleans over as text, so 7 and "7" are one id; objects and arrays come as JSON text
-- and count as missing. An id is at most 512 bytes of UTF-8; HEX gives two characters a byte, and 128 characters
-- (of at most 4 bytes) always fit.

-- Flink's TO_TIMESTAMP_LTZ moves 30 February to the 28th and is slow; docs/analytics.md has the figures.
CREATE TEMPORARY FUNCTION parse_clicked_at AS 'clicktrends.clicks.ParseClickedAt';

CREATE TEMPORARY VIEW timed_clicks AS
SELECT
  *,
  parse_clicked_at(clicked_at) AS `moment`
FROM clicks;

CREATE TEMPORARY VIEW checked_clicks AS
SELECT
  click_id,
  clicked_at,
  user_id,
  article_id,
  platform,
  `position`,
  `moment`,
  CASE
    WHEN click_id IS NULL OR click_id = '' OR (LEFT(click_id, 1) IN ('{', '[') AND click_id IS JSON)
    THEN 'missing_click_id'
    WHEN user_id IS NULL OR user_id = '' OR (LEFT(user_id, 1) IN ('{', '[') AND user_id IS JSON)
    THEN 'missing_user_id'
    WHEN article_id IS NULL OR article_id = '' OR (LEFT(article_id, 1) IN ('{', '[') AND article_id IS JSON)
    THEN 'missing_article_id'
    WHEN clicked_at IS NULL
    THEN 'missing_clicked_at'
    WHEN `moment` IS NULL
    THEN 'invalid_clicked_at'
    WHEN `moment` > arrived_at + ${checks.max-clock-ahead-seconds} * INTERVAL '1' SECOND
    THEN 'clock_ahead'
    WHEN `moment` < arrived_at - ${checks.max-age-seconds} * INTERVAL '1' SECOND
    THEN 'too_old'
    WHEN (CHAR_LENGTH(click_id) > 128 AND CHAR_LENGTH(HEX(click_id)) > 1024)
      OR (CHAR_LENGTH(user_id) > 128 AND CHAR_LENGTH(HEX(user_id)) > 1024)
      OR (CHAR_LENGTH(article_id) > 128 AND CHAR_LENGTH(HEX(article_id)) > 1024)
    THEN 'id_too_long'
  END AS reason
FROM timed_clicks;
