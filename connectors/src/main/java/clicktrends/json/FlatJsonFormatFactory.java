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
import org.apache.flink.table.api.ValidationException;
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
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * The format {@code flat-json}: Flink's {@code json} for reading records of many objects, with a
 * third less work for objects without nested values. Its options are the reading options of {@code
 * json}, {@code nested-values}, {@code unparseable-column}, {@code aggregated-records} and {@code
 * digest-column}. {@link FlatJsonDeserializationSchema} says what it reads.
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

  static final ConfigOption<String> UNPARSEABLE_COLUMN =
      ConfigOptions.key("unparseable-column")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "A column of type STRING for what is not read: the rest of a line from where neither an"
                  + " object nor an array of objects begins. Such a row has nothing else. No field of"
                  + " an object fills the column. Without this option such a rest is skipped; with it"
                  + " parse errors have to be ignored.");

  static final ConfigOption<Boolean> AGGREGATED_RECORDS =
      ConfigOptions.key("aggregated-records")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Whether a record may be one that the Kinesis Producer Library aggregated. A line of a"
                  + " file is none, whatever its bytes.");

  static final ConfigOption<String> DIGEST_COLUMN =
      ConfigOptions.key("digest-column")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "A column of type STRING for a digest of the bytes that a row was read from, by which a"
                  + " row that was read twice is known. No field of an object fills the column.");

  @Override
  public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
      DynamicTableFactory.Context context, ReadableConfig options) {
    FactoryUtil.validateFactoryOptions(this, options);
    JsonFormatOptionsUtil.validateDecodingFormatOptions(options);
    String table = context.getObjectIdentifier().getObjectName();
    return new FlatJsonDecodingFormat(table, options);
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
    return Set.of(
        FAIL_ON_MISSING_FIELD,
        IGNORE_PARSE_ERRORS,
        TIMESTAMP_FORMAT,
        NESTED_VALUES,
        UNPARSEABLE_COLUMN,
        AGGREGATED_RECORDS,
        DIGEST_COLUMN);
  }

  private record FlatJsonDecodingFormat(String table, ReadableConfig options)
      implements ProjectableDecodingFormat<DeserializationSchema<RowData>> {

    @Override
    public DeserializationSchema<RowData> createRuntimeDecoder(
        DynamicTableSource.Context context, DataType physicalType, int[][] projections) {
      RowType columns = (RowType) physicalType.getLogicalType();
      String unparseableColumn = options.get(UNPARSEABLE_COLUMN);
      String digestColumn = options.get(DIGEST_COLUMN);
      if (unparseableColumn != null) {
        validateTextColumn(UNPARSEABLE_COLUMN, unparseableColumn, columns);
        validateErrorsAreIgnored();
      }
      if (digestColumn != null) {
        validateTextColumn(DIGEST_COLUMN, digestColumn, columns);
      }
      DataType producedType = Projection.of(projections).project(physicalType);
      return new FlatJsonDeserializationSchema(
          table,
          (RowType) producedType.getLogicalType(),
          context.createTypeInformation(producedType),
          options.get(FAIL_ON_MISSING_FIELD),
          options.get(IGNORE_PARSE_ERRORS),
          JsonFormatOptionsUtil.getTimestampFormat(options),
          options.get(NESTED_VALUES),
          unparseableColumn,
          options.get(AGGREGATED_RECORDS),
          digestColumn);
    }

    private void validateTextColumn(ConfigOption<String> option, String column, RowType columns) {
      int index = columns.getFieldIndex(column);
      if (index < 0 || !columns.getTypeAt(index).is(LogicalTypeRoot.VARCHAR)) {
        throw new ValidationException(
            "flat-json.%s names '%s': add a column of this name and the type STRING"
                    .formatted(option.key(), column)
                + " to the table "
                + table);
      }
    }

    private void validateErrorsAreIgnored() {
      if (!options.get(IGNORE_PARSE_ERRORS)) {
        throw new ValidationException(
            "flat-json.unparseable-column needs flat-json.ignore-parse-errors = 'true', or what is"
                + " not read ends the job; set it for the table "
                + table);
      }
    }

    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }
  }
}
