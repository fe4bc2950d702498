-- A replay: of the clicks of a range of event time, those that can be counted. The live path has rejected the others.
CREATE TEMPORARY VIEW validated_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM checked_clicks
WHERE event_time >= TO_TIMESTAMP_LTZ(${replay.from-epoch-seconds}, 0)
  AND event_time < TO_TIMESTAMP_LTZ(${replay.to-epoch-seconds}, 0);
