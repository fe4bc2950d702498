package clicktrends.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;

/** Versions of a segments table in a directory, published atomically like the real ones. */
record SegmentFiles(Path directory) {
  static final String HEADER = "user_id,gender,age_band\n";

  Path publish(String validFrom, String content) throws IOException {
    Path hidden = Files.writeString(directory.resolve("." + validFrom), content);
    return Files.move(
        hidden, directory.resolve(validFrom + ".csv"), StandardCopyOption.REPLACE_EXISTING);
  }

  ReferenceSettings settings(Duration checkInterval, Duration history) {
    return settings(directory.toString(), checkInterval, history);
  }

  static ReferenceSettings settings(String path, Duration checkInterval, Duration history) {
    return new ReferenceSettings(
        path, "user_id", List.of("gender", "age_band"), checkInterval, history);
  }
}
