-- The clicks of readers as they arrive, every field as its own text so that a rejected click can show what was sent.
--
-- What one record becomes: the first JSON value in it is read, whatever follows is ignored, and of a repeated key the
-- last value holds. An object is one click; the leading objects of an array are one click each. Anything else (text that
-- is no JSON or not UTF-8, a scalar, an empty array, nesting over 1,000 deep) is unparseable: Flink skips the record.
-- That holds for the decoder that reads a record as a whole; the streaming decoder, Flink's default, loses fields after
-- a repeated key and may go on in the middle of a broken one.
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
