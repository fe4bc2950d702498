package clicktrends.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Reads each file of a directory as a version, and prints its name and the users in it, or the
 * reason for which it is refused: tests/contract/test_segments_reader.py compares that.
 */
public final class ReaderVerdicts {
  private ReaderVerdicts() {}

  /**
   * Arguments: the directory, the key column, the value columns.
   *
   * @throws IOException if a file cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    List<String> values = List.of(arguments).subList(2, arguments.length);
    ReferenceSettings settings =
        new ReferenceSettings(
            directory.toString(), arguments[1], values, Map.of(), Duration.ZERO, null);
    List<Path> files;
    try (Stream<Path> listed = Files.list(directory)) {
      files = listed.sorted().toList();
    }
    for (Path file : files) {
      System.out.println(file.getFileName() + "\t" + verdict(file, settings));
    }
  }

  private static String verdict(Path file, ReferenceSettings settings) throws IOException {
    VersionFile version =
        new VersionFile(
            new org.apache.flink.core.fs.Path(file.toUri()), Files.size(file), /* modified */ 0);
    try {
      return String.valueOf(VersionReader.read(version, 0, settings).users());
    } catch (BadVersionException e) {
      return e.getMessage().substring(version.path().toString().length()).replaceAll("\\s", " ");
    }
  }
}
