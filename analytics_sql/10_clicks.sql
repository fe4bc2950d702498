-- The clicks of readers as they arrive, every field as its own text so that a rejected click can show what was sent.
--
-- What becomes of a record: its first JSON value is read and whatever follows is ignored; of a repeated key the last
-- value holds. An object is one click, an array is one click for each object in it (producers send one object a record).
-- Anything else is unparseable and skipped: no JSON, no Unicode, a scalar, an array without objects, nesting over 1,000
-- deep, a number of over 1,000 digits, a name of over 50,000 bytes. Let pass: UTF-16 and UTF-32, a byte order
-- mark, control characters and overlong UTF-8 in strings, half a surrogate pair. contract/click.py says the same in Python.
-- The format is Flink's json with a fast path (connectors/). Numbers and booleans come as text, so 7 and "7" are one id. An
-- object or array in place of a field is NULL, as if the field were missing.
CREATE TABLE clicks (
  click_id STRING,
  clicked_at STRING,
  user_id STRING,
  article_id STRING,
  platform STRING,
  `position` STRING
) WITH (${clicks},
  'format' = 'flat-json',
  'flat-json.ignore-parse-errors' = 'true',
  'flat-json.nested-values' = 'null'
);
