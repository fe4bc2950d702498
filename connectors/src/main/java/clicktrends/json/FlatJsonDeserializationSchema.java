package clicktrends.json;

import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonRowDataDeserializationSchema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/**
 * Flink's JSON decoder that reads a record as a whole, with {@link FlatObjectScanner} in front: it
 * decodes what the scanner gives up. But half a surrogate pair keeps its own bytes, where Flink
 * writes a question mark.
 */
final class FlatJsonDeserializationSchema extends JsonRowDataDeserializationSchema {
  private static final long serialVersionUID = 1L;

  private final String[] names;
  private final boolean[] isText;
  private final NestedValues nestedValues;
  private transient FlatObjectScanner scanner;

  FlatJsonDeserializationSchema(
      RowType rowType,
      TypeInformation<RowData> producedType,
      boolean failOnMissingField,
      boolean ignoreParseErrors,
      TimestampFormat timestampFormat,
      NestedValues nestedValues) {
    super(rowType, producedType, failOnMissingField, ignoreParseErrors, timestampFormat);
    this.names = rowType.getFieldNames().toArray(String[]::new);
    this.isText = new boolean[names.length];
    for (int i = 0; i < names.length; i++) {
      LogicalType type = rowType.getTypeAt(i);
      isText[i] = type.is(LogicalTypeFamily.CHARACTER_STRING);
    }
    this.nestedValues = nestedValues;
  }

  @Override
  public void open(InitializationContext context) throws Exception {
    super.open(context);
    scanner = new FlatObjectScanner(names, isText, failOnMissingField);
  }

  @Override
  public void deserialize(byte[] message, Collector<RowData> out) throws IOException {
    RowData row = message == null ? null : scanner.scan(message);
    if (row == null) {
      super.deserialize(message, out);
    } else {
      out.collect(row);
    }
  }

  /** Decodes a record that the scanner gave up: each object, alone or in an array. */
  @Override
  public RowData convertToRowData(JsonNode message) {
    if (nestedValues == NestedValues.NULL && message instanceof ObjectNode object) {
      for (int i = 0; i < names.length; i++) {
        JsonNode value = isText[i] ? object.get(names[i]) : null;
        if (value != null && value.isContainerNode()) {
          object.putNull(names[i]);
        }
      }
    }
    RowData row = super.convertToRowData(message);
    if (row instanceof GenericRowData decoded) {
      keepHalfPairs(decoded);
    }
    return row;
  }

  private void keepHalfPairs(GenericRowData row) {
    for (int i = 0; i < names.length; i++) {
      if (isText[i] && row.getField(i) instanceof StringData value) {
        String text = value.toString();
        if (Surrogates.hasHalf(text)) {
          row.setField(i, StringData.fromBytes(Surrogates.bytes(text)));
        }
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof FlatJsonDeserializationSchema that
        && Arrays.equals(names, that.names)
        && nestedValues == that.nestedValues;
  }

  @Override
  public int hashCode() {
    return 31 * super.hashCode() + nestedValues.hashCode();
  }
}
