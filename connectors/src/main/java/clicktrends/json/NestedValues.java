package clicktrends.json;

/** What a text column gets from an object or array. */
public enum NestedValues {
  /** Its JSON text, as in Flink's format: indistinguishable from a string with that text. */
  TEXT,
  /** NULL, as if the field were missing. */
  NULL
}
