package clicktrends.json;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.util.Collector;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;

/** Decoders as Flink opens them, and the rows that they make of a record. */
final class Decoders {
  private Decoders() {}

  static RowType textColumns(String... names) {
    return RowType.of(
        Stream.of(names).map(name -> VarCharType.STRING_TYPE).toArray(LogicalType[]::new), names);
  }

  static FlatJsonDeserializationSchema flat(
      RowType columns,
      boolean failOnMissingField,
      boolean ignoreParseErrors,
      NestedValues nestedValues,
      String unparseableColumn) {
    return new FlatJsonDeserializationSchema(
        "clicks",
        columns,
        InternalTypeInfo.of(columns),
        failOnMissingField,
        ignoreParseErrors,
        TimestampFormat.ISO_8601,
        nestedValues,
        unparseableColumn,
        true,
        null);
  }

  /** For lines of files, which are no aggregated records. */
  static FlatJsonDeserializationSchema flatOfLines(RowType columns) {
    return new FlatJsonDeserializationSchema(
        "clicks",
        columns,
        InternalTypeInfo.of(columns),
        false,
        true,
        TimestampFormat.ISO_8601,
        NestedValues.NULL,
        "unparseable",
        false,
        null);
  }

  /** With a column of digests, as a replay reads lines of files. */
  static FlatJsonDeserializationSchema flatWithDigests(RowType columns, String digestColumn) {
    return new FlatJsonDeserializationSchema(
        "clicks",
        columns,
        InternalTypeInfo.of(columns),
        false,
        true,
        TimestampFormat.ISO_8601,
        NestedValues.NULL,
        "unparseable",
        false,
        digestColumn);
  }

  static DeserializationSchema<RowData> opened(DeserializationSchema<RowData> schema)
      throws Exception {
    return opened(schema, new UnregisteredMetricsGroup());
  }

  static DeserializationSchema<RowData> opened(
      DeserializationSchema<RowData> schema, MetricGroup metrics) throws Exception {
    schema.open(
        new DeserializationSchema.InitializationContext() {
          @Override
          public MetricGroup getMetricGroup() {
            return metrics;
          }

          @Override
          public UserCodeClassLoader getUserCodeClassLoader() {
            return SimpleUserCodeClassLoader.create(Decoders.class.getClassLoader());
          }
        });
    return schema;
  }

  static List<RowData> rows(DeserializationSchema<RowData> schema, byte[] record)
      throws IOException {
    Rows rows = new Rows(new ArrayList<>());
    schema.deserialize(record, rows);
    return rows.collected();
  }

  private record Rows(List<RowData> collected) implements Collector<RowData> {
    @Override
    public void collect(RowData row) {
      collected.add(row);
    }

    @Override
    public void close() {}
  }
}
