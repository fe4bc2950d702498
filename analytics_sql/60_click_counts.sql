-- The counts on their way to OpenSearch, where the largest count of a key wins.
CREATE TABLE click_counts (
  `minute` STRING,
  article_id STRING,
  gender STRING,
  age_band STRING,
  region STRING,
  clicks BIGINT,
  published_at STRING
) WITH (${click_counts}
);

INSERT INTO click_counts
SELECT
  DATE_FORMAT(`minute`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''),
  article_id,
  gender,
  age_band,
  region,
  clicks,
  DATE_FORMAT(CURRENT_TIMESTAMP, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''')
FROM published_counts;
