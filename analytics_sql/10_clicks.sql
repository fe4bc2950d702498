-- The clicks of readers as they arrive, every field as its own text so that a rejected click can show what was sent.
CREATE TABLE clicks (
  click_id STRING,
  clicked_at STRING,
  user_id STRING,
  article_id STRING,
  platform STRING,
  `position` STRING,
  arrived_at AS PROCTIME()
) WITH (${clicks});
