-- Bounded: each click validated once for both consumers below; bounded.py has the planner share this view.
CREATE TEMPORARY VIEW validated_clicks AS
SELECT
  *,
  PROCTIME() AS looked_up_at
FROM checked_clicks;
