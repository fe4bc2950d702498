package clicktrends.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Versions of a segments table in a directory, published atomically like the real ones. */
record SegmentFiles(Path directory) {
  static final String HEADER = "user_id,gender,age_band\n";

  Path publish(String validFrom, String content) throws IOException {
    Path hidden = Files.writeString(directory.resolve("." + validFrom), content);
    return Files.move(
        hidden, directory.resolve(validFrom + ".csv"), StandardCopyOption.REPLACE_EXISTING);
  }

  /** Returns the settings that read it, once, in place of the version. */
  ReferenceSettings correct(String validFrom, String content) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(".corrections").resolve(validFrom));
    Path file = Files.writeString(folder.resolve("0001.csv"), content);
    return reading(Map.of(validFrom + ".csv", file.toString()));
  }

  ReferenceSettings reading(Map<String, String> corrections) {
    return settings(directory.toString(), corrections, Duration.ZERO, null);
  }

  ReferenceSettings settings(Duration checkInterval, Duration history) {
    return settings(directory.toString(), checkInterval, history);
  }

  static ReferenceSettings settings(String path, Duration checkInterval, Duration history) {
    return settings(path, Map.of(), checkInterval, history);
  }

  private static ReferenceSettings settings(
      String path, Map<String, String> corrections, Duration checkInterval, Duration history) {
    return new ReferenceSettings(
        path, "user_id", List.of("gender", "age_band"), corrections, checkInterval, history);
  }
}
