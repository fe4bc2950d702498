package clicktrends.reference;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.OptionalLong;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;

/**
 * The file of a version as the directory lists it.
 *
 * @param size in bytes
 * @param modified as the file system tells it
 */
record VersionFile(Path path, long size, long modified) {
  private static final String SUFFIX = ".csv";
  private static final DateTimeFormatter VALID_FROM =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'")
          .withResolverStyle(ResolverStyle.STRICT)
          .withZone(ZoneOffset.UTC);

  static VersionFile of(FileStatus status) {
    return new VersionFile(status.getPath(), status.getLen(), status.getModificationTime());
  }

  /** Epoch milliseconds from a name such as {@code 20260131T000000Z.csv}; empty for other names. */
  static OptionalLong validFromMillis(String name) {
    if (!name.endsWith(SUFFIX)) {
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
