-- The clicks of readers as they arrive, every field as its own text so that a rejected click can show what was sent.
--
-- contract/click.py says which clicks are in a record, connectors/ says it in Java: lines of UTF-8, each with objects one
-- after another, or such records aggregated by the Kinesis Producer Library. What a line holds beyond, from where another
-- value begins, is a row with nothing but `unparseable`: its text, cut at 4,096 characters. So each row is one unit of
-- received = counted + rejected + unparseable. A field called unparseable is ignored; of a repeated key the last value
-- holds. Let pass: control characters and overlong UTF-8 in strings, half a surrogate pair.
-- The format is Flink's json with a fast path (connectors/). Numbers and booleans come as text, so 7 and "7" are one id. An
-- object or array in place of a field is NULL, as if the field were missing.
CREATE TABLE clicks (
  click_id STRING,
  clicked_at STRING,
  user_id STRING,
  article_id STRING,
  platform STRING,
  `position` STRING,
  unparseable STRING
) WITH (${clicks},
  'format' = 'flat-json',
  'flat-json.ignore-parse-errors' = 'true',
  'flat-json.nested-values' = 'null',
  'flat-json.unparseable-column' = 'unparseable'
);
