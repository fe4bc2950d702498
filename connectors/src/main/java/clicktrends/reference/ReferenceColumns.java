package clicktrends.reference;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The columns of the DDL: STRING columns, and one TIMESTAMP_LTZ(3), the as-of column.
 *
 * @param table the table's full name, for messages
 * @param asOf position of the as-of column
 */
record ReferenceColumns(String table, List<String> names, int asOf) {

  static ReferenceColumns of(String table, DataType physicalRow) {
    RowType row = (RowType) physicalRow.getLogicalType();
    List<String> names = row.getFieldNames();
    int[] asOf = IntStream.range(0, names.size()).filter(i -> isAsOf(row.getTypeAt(i))).toArray();
    if (asOf.length != 1) {
      throw new ValidationException(
          ("Table %s has %d columns of type TIMESTAMP_LTZ(3) and needs exactly one, the time a"
                  + " lookup asks for. Declare it as in: as_of TIMESTAMP_LTZ(3).")
              .formatted(table, asOf.length));
    }
    for (int i = 0; i < names.size(); i++) {
      if (i != asOf[0] && !isString(row.getTypeAt(i))) {
        throw new ValidationException(
            ("Table %s: column '%s' is %s, but the versions hold text. Declare it as STRING, and"
                    + " CAST it in the query.")
                .formatted(table, names.get(i), row.getTypeAt(i).asSummaryString()));
      }
    }
    return new ReferenceColumns(table, names, asOf[0]);
  }

  /**
   * Checks the join condition and gives the positions of its columns.
   *
   * @param keys positions of the columns that the join condition compares
   */
  Layout layout(int[] keys) {
    List<String> compared = IntStream.of(keys).mapToObj(names::get).toList();
    boolean valid = keys.length == 2 && (keys[0] == asOf) != (keys[1] == asOf);
    if (!valid) {
      throw new ValidationException(
          ("Table %s: the join compares the columns %s, but a lookup needs exactly one STRING column"
                  + " and '%s'. Write the join as: ON s.<key> = ... AND s.%s = ..., with both sides"
                  + " of the same type, and put other conditions into WHERE.")
              .formatted(table, compared, names.get(asOf), names.get(asOf)));
    }
    int keyInKeys = keys[0] == asOf ? 1 : 0;
    int key = keys[keyInKeys];
    int[] values = IntStream.range(0, names.size()).filter(i -> i != key && i != asOf).toArray();
    return new Layout(key, asOf, values, keyInKeys);
  }

  private static boolean isAsOf(LogicalType type) {
    return type.copy(true).equals(new LocalZonedTimestampType(3));
  }

  private static boolean isString(LogicalType type) {
    return type.copy(true).equals(VarCharType.STRING_TYPE);
  }
}
