package clicktrends.clicks;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * SQL function: the number of UTF-8 bytes of a string; NULL for NULL. Flink has no OCTET_LENGTH,
 * and a string that was read as bytes knows its length without being decoded.
 */
public final class ByteLength extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  public Integer eval(
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData text) {
    if (text == null) {
      return null;
    }
    BinaryStringData binary = (BinaryStringData) text;
    binary.ensureMaterialized();
    return binary.getSizeInBytes();
  }
}
