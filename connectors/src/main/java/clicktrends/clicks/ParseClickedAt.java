package clicktrends.clicks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.LocalDate;
import java.time.Month;
import java.time.Year;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * SQL function: the time in a click's {@code clicked_at}, in the contract's form {@code
 * 2026-01-31T12:34:56.789Z}; NULL for any other text and for a time that does not exist.
 *
 * <p>TO_TIMESTAMP_LTZ moves 30 February to the 28th and 24:00 to the next day.
 */
public final class ParseClickedAt extends ScalarFunction {
  private static final long serialVersionUID = 1L;
  private static final byte[] FORM = "0000-00-00T00:00:00.000Z".getBytes(US_ASCII);
  private static final long MILLIS_OF_DAY = 86_400_000;

  @DataTypeHint(value = "TIMESTAMP_LTZ(3)", bridgedTo = TimestampData.class)
  public TimestampData eval(
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData clickedAt) {
    if (clickedAt == null) {
      return null;
    }
    byte[] text = clickedAt.toBytes();
    if (!hasTheForm(text)) {
      return null;
    }
    int year = number(text, 0, 4);
    int month = number(text, 5, 7);
    int day = number(text, 8, 10);
    int hour = number(text, 11, 13);
    int minute = number(text, 14, 16);
    int second = number(text, 17, 19);
    if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) {
      return null;
    }
    long millisOfDay = ((hour * 60 + minute) * 60 + second) * 1000L + number(text, 20, 23);
    long epochDay = LocalDate.of(year, month, day).toEpochDay();
    return TimestampData.fromEpochMillis(epochDay * MILLIS_OF_DAY + millisOfDay);
  }

  private static boolean hasTheForm(byte[] text) {
    if (text.length != FORM.length) {
      return false;
    }
    for (int i = 0; i < FORM.length; i++) {
      boolean isDigit = text[i] >= '0' && text[i] <= '9';
      if (FORM[i] == '0' ? !isDigit : text[i] != FORM[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isDate(int year, int month, int day) {
    return year >= 1
        && month >= 1
        && month <= 12
        && day >= 1
        && day <= Month.of(month).length(Year.isLeap(year));
  }

  private static int number(byte[] text, int from, int to) {
    int result = 0;
    for (int i = from; i < to; i++) {
      result = result * 10 + text[i] - '0';
    }
    return result;
  }
}
