-- The clicks of readers as they arrive, every field as its own text so that a rejected click can show what was sent.
--
-- What becomes of a record: its first JSON value is read and whatever follows is ignored; of a repeated key the last
-- value holds. An object is one click, an array is one click for each object in it (producers send one object a record).
-- Anything else is unparseable and skipped: no JSON, no UTF-8, a scalar, an array without objects, nesting over 1,000
-- deep. Let pass: a byte order mark, control characters and overlong UTF-8 in strings. tests/analytics/contract.py
-- says the same in Python.
-- This is so with the decoder that reads a record as a whole. The other one, Flink's default, loses fields after a
-- repeated key and may go on in the middle of a broken one.
CREATE TABLE clicks (
  click_id STRING,
  clicked_at STRING,
  user_id STRING,
  article_id STRING,
  platform STRING,
  `position` STRING,
  arrived_at AS PROCTIME()
) WITH (${clicks},
  'json.decode.json-parser.enabled' = 'false'
);
