package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VersionFileTest {
  @Test
  void a_name_tells_the_time_in_utc_from_which_the_version_holds() {
    long time = Instant.parse("2026-01-31T12:34:56Z").toEpochMilli();
    assertThat(VersionFile.validFromMillis("20260131T123456Z.csv")).hasValue(time);
    assertThat(VersionFile.nameOf(time)).isEqualTo("20260131T123456Z.csv");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "20260231T000000Z.csv",
        "20260131T240000Z.csv",
        "20260131T000000.csv",
        "-20260131T000000Z.csv",
        "２０２６0131T000000Z.csv",
        "20260131T000000Z.csv.gz",
        "20260131T000000Z.CSV",
        "20260131T000000Z",
        "x20260131T000000Z.csv",
        "readme.csv",
        ".csv"
      })
  void other_names_are_no_version(String name) {
    assertThat(VersionFile.validFromMillis(name)).isEmpty();
  }
}
