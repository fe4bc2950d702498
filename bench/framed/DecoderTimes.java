package clicktrends.json;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

/**
 * CPU of the decoder's thread alone: {@code DecoderTimes TURNS SECONDS COLUMNS FILE...}. The files
 * take turns, each for so many seconds of CPU after one turn to warm up, and hold records, each
 * after its length in four bytes. Prints for each turn and file: its position, nanoseconds to
 * decode the file once, rows in it.
 */
public final class DecoderTimes {
  private static final String TABLE = "clicks";
  private static final String UNPARSEABLE = "unparseable";

  public static void main(String[] args) throws Exception {
    int turns = Integer.parseInt(args[0]);
    long nanos = (long) (Double.parseDouble(args[1]) * 1e9);
    DeserializationSchema<RowData> schema = schema(args[2].split(","));
    List<List<byte[]>> files = new ArrayList<>();
    for (int i = 3; i < args.length; i++) {
      files.add(records(Path.of(args[i])));
    }
    for (int turn = -1; turn < turns; turn++) {
      for (int file = 0; file < files.size(); file++) {
        String found = decode(schema, files.get(file), nanos);
        if (turn >= 0) {
          System.out.println(file + " " + found);
        }
      }
    }
  }

  private static String decode(
      DeserializationSchema<RowData> schema, List<byte[]> records, long nanos) throws IOException {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Rows rows = new Rows();
    long began = threads.getCurrentThreadCpuTime();
    long times = 0;
    long used = 0;
    while (used < nanos) {
      for (byte[] record : records) {
        schema.deserialize(record, rows);
      }
      times++;
      used = threads.getCurrentThreadCpuTime() - began;
    }
    return used / times + " " + rows.number / times;
  }

  private static DeserializationSchema<RowData> schema(String[] columns) throws Exception {
    LogicalType[] types = new LogicalType[columns.length];
    Arrays.fill(types, VarCharType.STRING_TYPE);
    RowType type = RowType.of(types, columns);
    DeserializationSchema<RowData> schema =
        new FlatJsonDeserializationSchema(
            TABLE,
            type,
            InternalTypeInfo.of(type),
            false,
            true,
            TimestampFormat.SQL,
            NestedValues.NULL,
            UNPARSEABLE,
            true,
            null);
    schema.open(new Opening());
    return schema;
  }

  private static List<byte[]> records(Path file) throws IOException {
    List<byte[]> found = new ArrayList<>();
    try (InputStream input = Files.newInputStream(file);
        DataInputStream data = new DataInputStream(new BufferedInputStream(input))) {
      long left = Files.size(file);
      while (left > 0) {
        byte[] record = new byte[data.readInt()];
        data.readFully(record);
        left -= Integer.BYTES + record.length;
        found.add(record);
      }
    }
    return found;
  }

  private static final class Rows implements Collector<RowData> {
    private long number;

    @Override
    public void collect(RowData row) {
      number++;
    }

    @Override
    public void close() {}
  }

  private static final class Opening implements DeserializationSchema.InitializationContext {
    @Override
    public MetricGroup getMetricGroup() {
      return new UnregisteredMetricsGroup();
    }

    @Override
    public UserCodeClassLoader getUserCodeClassLoader() {
      return SimpleUserCodeClassLoader.create(DecoderTimes.class.getClassLoader());
    }
  }

  private DecoderTimes() {}
}
