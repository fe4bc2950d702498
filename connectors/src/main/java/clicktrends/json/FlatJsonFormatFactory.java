package clicktrends.json;

import static org.apache.flink.formats.json.JsonFormatOptions.FAIL_ON_MISSING_FIELD;
import static org.apache.flink.formats.json.JsonFormatOptions.IGNORE_PARSE_ERRORS;
import static org.apache.flink.formats.json.JsonFormatOptions.TIMESTAMP_FORMAT;

import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.json.JsonFormatOptionsUtil;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.Projection;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.ProjectableDecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * The format {@code flat-json}: Flink's {@code json} for reading, with the same results and a third
 * less work for objects without nested values. Its options are the reading options of {@code json},
 * and {@code nested-values}. It does not read half a surrogate pair as a question mark: see {@link
 * Surrogates}.
 */
public final class FlatJsonFormatFactory implements DeserializationFormatFactory {
  static final String IDENTIFIER = "flat-json";

  static final ConfigOption<NestedValues> NESTED_VALUES =
      ConfigOptions.key("nested-values")
          .enumType(NestedValues.class)
          .defaultValue(NestedValues.TEXT)
          .withDescription(
              "What a column that takes text gets from an object or array: its JSON 'text', as in"
                  + " the format json, or 'null'.");

  @Override
  public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
      DynamicTableFactory.Context context, ReadableConfig options) {
    FactoryUtil.validateFactoryOptions(this, options);
    JsonFormatOptionsUtil.validateDecodingFormatOptions(options);
    return new FlatJsonDecodingFormat(options);
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
    return Set.of(FAIL_ON_MISSING_FIELD, IGNORE_PARSE_ERRORS, TIMESTAMP_FORMAT, NESTED_VALUES);
  }

  private record FlatJsonDecodingFormat(ReadableConfig options)
      implements ProjectableDecodingFormat<DeserializationSchema<RowData>> {

    @Override
    public DeserializationSchema<RowData> createRuntimeDecoder(
        DynamicTableSource.Context context, DataType physicalType, int[][] projections) {
      DataType producedType = Projection.of(projections).project(physicalType);
      return new FlatJsonDeserializationSchema(
          (RowType) producedType.getLogicalType(),
          context.createTypeInformation(producedType),
          options.get(FAIL_ON_MISSING_FIELD),
          options.get(IGNORE_PARSE_ERRORS),
          JsonFormatOptionsUtil.getTimestampFormat(options),
          options.get(NESTED_VALUES));
    }

    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }
  }
}
