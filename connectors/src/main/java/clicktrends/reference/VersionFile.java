package clicktrends.reference;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.apache.flink.core.fs.Path;

/**
 * The file of a version as the directory lists it.
 *
 * @param size in bytes
 * @param modified as the file system reports it
 */
record VersionFile(Path path, long size, long modified) {
  private static final String SUFFIX = ".csv";
  private static final Pattern NAME = Pattern.compile("[0-9]{8}T[0-9]{6}Z[.]csv");
  private static final DateTimeFormatter VALID_FROM =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'")
          .withResolverStyle(ResolverStyle.STRICT)
          .withZone(ZoneOffset.UTC);

  /** Epoch milliseconds from a name such as {@code 20260131T000000Z.csv}; empty for other names. */
  static OptionalLong validFromMillis(String name) {
    if (!NAME.matcher(name).matches()) {
      return OptionalLong.empty();
    }
    try {
      String time = name.substring(0, name.length() - SUFFIX.length());
      return OptionalLong.of(VALID_FROM.parse(time, Instant::from).toEpochMilli());
    } catch (DateTimeException notATime) {
      return OptionalLong.empty();
    }
  }

  static String nameOf(long validFromMillis) {
    return VALID_FROM.format(Instant.ofEpochMilli(validFromMillis)) + SUFFIX;
  }
}
