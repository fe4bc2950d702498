-- Every click with its event time and, where it can't be counted, the first reason in the order below (NULL: it counts).
--
-- A clock that is wrong in one client rejects that client's clicks and delays nobody, for there is no watermark.
-- An id is at most 512 bytes of UTF-8. The functions are Java in connectors/; in place of byte_length(id) = 0 the planner
-- would turn id = '' into a search in a set, and hash every id for it. CURRENT_TIMESTAMP is the time of the check (in a
-- bounded run, of its start); a column of PROCTIME() would be a projection of its own, which copies every field once more.

-- In place of Flink's TO_TIMESTAMP_LTZ, which moves 30 February to the 28th and is slow.
CREATE TEMPORARY FUNCTION parse_clicked_at AS 'clicktrends.clicks.ParseClickedAt';

CREATE TEMPORARY FUNCTION byte_length AS 'clicktrends.clicks.ByteLength';

-- False for half a surrogate pair, which JSON can write: UTF-8 would make one question mark of all of these.
CREATE TEMPORARY FUNCTION is_unicode AS 'clicktrends.clicks.IsUnicode';

CREATE TEMPORARY VIEW timed_clicks AS
SELECT
  *,
  parse_clicked_at(clicked_at) AS event_time
FROM clicks;

CREATE TEMPORARY VIEW checked_clicks AS
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
    WHEN unparseable IS NOT NULL
    THEN 'unparseable'
    WHEN click_id IS NULL OR byte_length(click_id) = 0
    THEN 'missing_click_id'
    WHEN user_id IS NULL OR byte_length(user_id) = 0
    THEN 'missing_user_id'
    WHEN article_id IS NULL OR byte_length(article_id) = 0
    THEN 'missing_article_id'
    WHEN clicked_at IS NULL
    THEN 'missing_clicked_at'
    WHEN NOT is_unicode(click_id) OR NOT is_unicode(user_id) OR NOT is_unicode(article_id)
    THEN 'id_not_unicode'
    WHEN event_time IS NULL
    THEN 'invalid_clicked_at'
    WHEN event_time > CURRENT_TIMESTAMP + ${checks.max-clock-ahead-seconds} * INTERVAL '1' SECOND
    THEN 'clock_ahead'
    WHEN event_time < CURRENT_TIMESTAMP - ${checks.max-age-seconds} * INTERVAL '1' SECOND
    THEN 'too_old'
    WHEN byte_length(click_id) > 512 OR byte_length(user_id) > 512 OR byte_length(article_id) > 512
    THEN 'id_too_long'
  END AS reason
FROM timed_clicks;
