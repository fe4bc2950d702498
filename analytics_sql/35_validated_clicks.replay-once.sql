-- A replay where repeated click ids are dropped: of a range of event time, each click whose id none had before it.
--
-- When a click was read is not in the raw backup: `clicked_at` stands for it, here and for how long an id is remembered.
-- So of copies the earliest counts, whether its bytes are those of the others or not. A click from before the range takes
-- its id, as far as it was read from the same hours. Rejects of the live path have taken no id, but late ones count here.
-- LAG takes no time with a zone, and the planner none in a filter above an OVER, hence the two columns.
CREATE TEMPORARY VIEW clicks_to_number AS
SELECT
  *,
  CAST(event_time AS TIMESTAMP(3)) AS utc_time,
  event_time >= TO_TIMESTAMP_LTZ(${replay.from-epoch-seconds}, 0) AS is_in_range
FROM checked_clicks
WHERE reason IS NULL
  AND event_time >= TO_TIMESTAMP_LTZ(
    ${replay.from-epoch-seconds} - ${checks.remember-click-ids-seconds},
    0
  )
  AND event_time < TO_TIMESTAMP_LTZ(${replay.to-epoch-seconds}, 0);

CREATE TEMPORARY VIEW clicks_after_their_id AS
SELECT
  *,
  LAG(utc_time) OVER (PARTITION BY click_id ORDER BY utc_time, user_id, article_id) AS id_seen_at
FROM clicks_to_number;

CREATE TEMPORARY VIEW validated_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM clicks_after_their_id
WHERE is_in_range
  AND (
    id_seen_at IS NULL
    OR id_seen_at < utc_time - ${checks.remember-click-ids-seconds} * INTERVAL '1' SECOND
  );
