-- The clicks that could not be counted, as they were sent, and the unread rests of lines, each with its reason.
--
-- A value is cut at 4,096 characters: a delivery stream refuses records over 1,000 KiB, and that would stop the job.
CREATE TABLE rejected_clicks (
  click_id STRING,
  clicked_at STRING,
  user_id STRING,
  article_id STRING,
  platform STRING,
  `position` STRING,
  unparseable STRING,
  reason STRING
) WITH (${rejected_clicks}
);

INSERT INTO rejected_clicks
SELECT
  LEFT(click_id, 4096),
  LEFT(clicked_at, 4096),
  LEFT(user_id, 4096),
  LEFT(article_id, 4096),
  LEFT(platform, 4096),
  LEFT(`position`, 4096),
  unparseable,
  reason
FROM validated_clicks
WHERE reason IS NOT NULL;
