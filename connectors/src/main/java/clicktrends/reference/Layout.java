package clicktrends.reference;

import java.io.Serializable;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/**
 * Positions in the table's rows and in the lookup keys.
 *
 * @param keyColumn position of the key among the table's columns
 * @param asOfColumn position of the as-of column among the table's columns
 * @param valueColumns positions of the value columns among the table's columns
 * @param keyInKeys position of the key among the lookup keys; the as-of column has the other one
 */
record Layout(int keyColumn, int asOfColumn, int[] valueColumns, int keyInKeys)
    implements Serializable {

  int asOfInKeys() {
    return 1 - keyInKeys;
  }

  RowData row(StringData key, TimestampData asOf, StringData[] values) {
    GenericRowData row = new GenericRowData(valueColumns.length + 2);
    row.setField(keyColumn, key);
    row.setField(asOfColumn, asOf);
    for (int i = 0; i < values.length; i++) {
      row.setField(valueColumns[i], values[i]);
    }
    return row;
  }
}
