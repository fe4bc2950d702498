package clicktrends.clicks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.format.ResolverStyle.STRICT;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParseClickedAtTest {
  private static final DateTimeFormatter STRICT_FORM =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withResolverStyle(STRICT);

  @ParameterizedTest
  @CsvSource({
    "1970-01-01T00:00:00.000Z, 0",
    "1969-12-31T23:59:59.999Z, -1",
    "2000-02-29T23:59:59.999Z, 951868799999",
    "2026-01-31T12:34:56.789Z, 1769862896789",
    "0001-01-01T00:00:00.000Z, -62135596800000",
    "9999-12-31T23:59:59.999Z, 253402300799999"
  })
  void reads_a_time(String clickedAt, long epochMillis) {
    assertThat(parse(clickedAt)).isEqualTo(TimestampData.fromEpochMillis(epochMillis));
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {
        "",
        "now",
        "2026-02-29T00:00:00.000Z",
        "1900-02-29T00:00:00.000Z",
        "2026-02-30T00:00:00.000Z",
        "2026-04-31T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z",
        "2026-13-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "2026-01-31T24:00:00.000Z",
        "2026-01-31T12:60:00.000Z",
        "2026-01-31T23:59:60.000Z",
        "2026-01-31T12:34:56Z",
        "2026-01-31T12:34:56.78Z",
        "2026-01-31T12:34:56.7890Z",
        "2026-01-31T12:34:56.789",
        "2026-01-31T12:34:56.789z",
        "2026-01-31t12:34:56.789Z",
        "2026-01-31 12:34:56.789Z",
        "2026-01-31T12:34:56,789Z",
        "2026-1-031T12:34:56.789Z",
        "+026-01-31T12:34:56.789Z",
        " 2026-01-31T12:34:56.789Z",
        "２０２６-01-31T12:34:56.789Z",
        "2026-01-31T12:34:5\u0667.7Z"
      })
  void is_null_for_anything_else(String clickedAt) {
    assertThat(parse(clickedAt)).isNull();
  }

  @Test
  void agrees_with_a_strict_formatter_on_texts_of_the_form() {
    Random random = new Random(42);
    int times = 0;
    for (int i = 0; i < 200_000; i++) {
      String text =
          String.format(
              "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
              1 + random.nextInt(9_999),
              random.nextInt(14),
              random.nextInt(33),
              random.nextInt(25),
              random.nextInt(61),
              random.nextInt(61),
              random.nextInt(1_000));
      TimestampData expected = strictly(text);
      times += expected == null ? 0 : 1;
      assertThat(parse(text)).as(text).isEqualTo(expected);
    }
    assertThat(times).isBetween(100_000, 199_000);
  }

  private static TimestampData parse(String clickedAt) {
    StringData text = clickedAt == null ? null : StringData.fromBytes(clickedAt.getBytes(UTF_8));
    return new ParseClickedAt().eval(text);
  }

  private static TimestampData strictly(String text) {
    try {
      Instant time = LocalDateTime.parse(text, STRICT_FORM).toInstant(ZoneOffset.UTC);
      return TimestampData.fromInstant(time);
    } catch (DateTimeException noSuchTime) {
      return null;
    }
  }
}
