-- The segment of each reader, in versions: a lookup with `as_of` answers from the version that held at that time.
CREATE TABLE segments (
  user_id STRING,
  gender STRING,
  age_band STRING,
  region STRING,
  as_of TIMESTAMP_LTZ(3)
) WITH (${segments}
);
