package clicktrends.json;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.table.data.RowData;

/**
 * Prints what the decoder reads, for tests/analytics_sql/test_decoder.py to compare with the
 * contract in Python.
 *
 * <p>Its arguments are the text columns. For each line of the standard input, the name of a file of
 * records with their lengths before them, it prints a line for each record: units with a semicolon
 * between. A unit is the bytes of each field in hexadecimal, or {@code -}, with commas between; the
 * last field is the unread rest.
 */
final class PrintedUnits {
  private static final HexFormat HEX = HexFormat.of();

  private PrintedUnits() {}

  public static void main(String[] columns) throws Exception {
    String[] all = Arrays.copyOf(columns, columns.length + 1);
    all[columns.length] = "unparseable";
    DeserializationSchema<RowData> decoder =
        Decoders.opened(
            Decoders.flat(
                Decoders.textColumns(all), false, true, NestedValues.NULL, "unparseable"));
    BufferedReader files =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String file = files.readLine(); file != null; file = files.readLine()) {
      System.out.print(printed(decoder, Path.of(file), all.length));
      System.out.flush();
    }
  }

  private static String printed(DeserializationSchema<RowData> decoder, Path file, int columns)
      throws IOException {
    StringBuilder printed = new StringBuilder();
    try (DataInputStream records =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      while (true) {
        byte[] record = new byte[records.readInt()];
        if (record.length == 0) {
          return printed.toString();
        }
        records.readFully(record);
        print(Decoders.rows(decoder, record), columns, printed);
      }
    }
  }

  private static void print(List<RowData> rows, int columns, StringBuilder printed) {
    for (RowData row : rows) {
      for (int i = 0; i < columns; i++) {
        printed.append(row.isNullAt(i) ? "-" : HEX.formatHex(row.getString(i).toBytes()));
        printed.append(i + 1 < columns ? ',' : ';');
      }
    }
    printed.append('\n');
  }
}
