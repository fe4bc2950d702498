package clicktrends.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VersionsTest {
  @ParameterizedTest
  @CsvSource({
    "1000, 1000",
    "1001, 1000",
    "1999, 1000",
    "2000, 2000",
    "2001, 2000",
    "3000, 3000",
    "9999, 3000"
  })
  void the_version_in_force_is_the_latest_that_has_begun(long asOf, long validFrom) {
    Versions versions = Versions.of(List.of(version(2000), version(3000), version(1000)));
    assertThat(versions.inForceAt(asOf).validFromMillis()).isEqualTo(validFrom);
  }

  @ParameterizedTest
  @ValueSource(longs = {999, 0, -5, Long.MIN_VALUE})
  void nothing_is_in_force_before_the_first_version(long asOf) {
    assertThat(Versions.of(List.of(version(1000))).inForceAt(asOf)).isNull();
  }

  @Test
  void nothing_is_in_force_without_versions() {
    assertThat(Versions.NONE.inForceAt(Long.MAX_VALUE)).isNull();
    assertThat(Versions.NONE.newest()).isNull();
  }

  private static Version version(long validFrom) {
    return new Version(validFrom, new CodeTable.Builder().build(), new StringData[0][]);
  }
}
