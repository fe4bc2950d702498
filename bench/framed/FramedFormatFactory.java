package clicktrends.bench;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.impl.StreamFormatAdapter;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.reader.SimpleStreamFormat;
import org.apache.flink.connector.file.table.factories.BulkReaderFormatFactory;
import org.apache.flink.connector.file.table.format.BulkDecodingFormat;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.ProjectableDecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.util.Collector;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;

/**
 * The format {@code framed-flat-json}: files of records as a stream delivers them, each after its
 * length in four bytes, read whole by the format {@code flat-json}. Flink's file source breaks its
 * input at newlines otherwise, so no record could hold two lines, nor be aggregated.
 */
public final class FramedFormatFactory implements BulkReaderFormatFactory {
  private static final String IDENTIFIER = "framed-flat-json";
  private static final String OF_A_RECORD = "flat-json";
  private static final int BUFFER_BYTES = 1 << 16;

  @Override
  public BulkDecodingFormat<RowData> createDecodingFormat(
      DynamicTableFactory.Context context, ReadableConfig options) {
    DecodingFormat<DeserializationSchema<RowData>> format =
        FactoryUtil.discoverFactory(
                context.getClassLoader(), DeserializationFormatFactory.class, OF_A_RECORD)
            .createDecodingFormat(context, options);
    return new FramedFormat(
        (ProjectableDecodingFormat<DeserializationSchema<RowData>>) format);
  }

  @Override
  public String factoryIdentifier() {
    return IDENTIFIER;
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  private record FramedFormat(
      ProjectableDecodingFormat<DeserializationSchema<RowData>> ofARecord)
      implements BulkDecodingFormat<RowData>,
          ProjectableDecodingFormat<BulkFormat<RowData, FileSourceSplit>> {

    @Override
    public BulkFormat<RowData, FileSourceSplit> createRuntimeDecoder(
        DynamicTableSource.Context context, DataType physicalType, int[][] projections) {
      return new StreamFormatAdapter<>(
          new Frames(ofARecord.createRuntimeDecoder(context, physicalType, projections)));
    }

    @Override
    public ChangelogMode getChangelogMode() {
      return ofARecord.getChangelogMode();
    }
  }

  private static final class Frames extends SimpleStreamFormat<RowData> {
    private static final long serialVersionUID = 1L;

    private final DeserializationSchema<RowData> schema;

    Frames(DeserializationSchema<RowData> schema) {
      this.schema = schema;
    }

    @Override
    public Reader<RowData> createReader(Configuration config, FSDataInputStream stream)
        throws IOException {
      try {
        schema.open(new Opening());
      } catch (Exception e) {
        throw new IOException(e);
      }
      return new FrameReader(schema, stream);
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
      return schema.getProducedType();
    }
  }

  private static final class FrameReader implements SimpleStreamFormat.Reader<RowData> {
    private final DeserializationSchema<RowData> schema;
    private final DataInputStream input;
    private final Queue<RowData> rows = new ArrayDeque<>();
    private final Collector<RowData> collector =
        new Collector<>() {
          @Override
          public void collect(RowData row) {
            rows.add(row);
          }

          @Override
          public void close() {}
        };

    FrameReader(DeserializationSchema<RowData> schema, FSDataInputStream stream) {
      this.schema = schema;
      this.input = new DataInputStream(new BufferedInputStream(stream, BUFFER_BYTES));
    }

    @Override
    public RowData read() throws IOException {
      while (rows.isEmpty()) {
        byte[] record;
        try {
          record = new byte[input.readInt()];
        } catch (EOFException end) {
          return null;
        }
        input.readFully(record);
        schema.deserialize(record, collector);
      }
      return rows.poll();
    }

    @Override
    public void close() throws IOException {
      input.close();
    }
  }

  private static final class Opening implements DeserializationSchema.InitializationContext {
    @Override
    public MetricGroup getMetricGroup() {
      return new UnregisteredMetricsGroup();
    }

    @Override
    public UserCodeClassLoader getUserCodeClassLoader() {
      return SimpleUserCodeClassLoader.create(FramedFormatFactory.class.getClassLoader());
    }
  }
}
