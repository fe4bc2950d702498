package clicktrends.json;

/** What a column that takes text gets from an object or array. */
public enum NestedValues {
  /** Its JSON text, as in Flink's format: it can't be told from a string with that text. */
  TEXT,
  /** NULL, as if the record lacked it. */
  NULL
}
