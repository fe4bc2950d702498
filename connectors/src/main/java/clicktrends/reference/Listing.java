package clicktrends.reference;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/**
 * What a directory of versions contains.
 *
 * @param versions by valid_from
 * @param otherNames names that are no version, without control characters; hidden ones, which begin
 *     with a dot or an underscore, are left out
 */
record Listing(Map<Long, VersionFile> versions, List<String> otherNames) {
  private static final Pattern CONTROL_CHARACTERS = Pattern.compile("\\p{Cntrl}");

  static final Listing EMPTY = new Listing(Map.of(), List.of());

  /**
   * Empty if the directory does not exist.
   *
   * @throws IOException if it cannot be listed
   */
  static Optional<Listing> of(Path directory) throws IOException {
    FileSystem fileSystem = directory.getFileSystem();
    return fileSystem.isDistributedFS()
        ? listed(fileSystem, directory)
        : listed(new File(directory.getPath()), directory);
  }

  private static Optional<Listing> listed(FileSystem fileSystem, Path directory)
      throws IOException {
    FileStatus[] found;
    try {
      found = fileSystem.listStatus(directory);
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      throw new IOException(
          directory + " holds a name that cannot be a path; rename or delete it: " + e.getMessage(),
          e);
    }
    if (found == null) {
      return Optional.empty();
    }
    Listing listing = new Listing(new HashMap<>(), new ArrayList<>());
    for (FileStatus status : found) {
      String name = status.getPath().getName();
      listing.add(directory, name, !status.isDir(), status.getLen(), status.getModificationTime());
    }
    return Optional.of(listing);
  }

  /** Flink's own listing fails as a whole on a name with a colon or a broken link. */
  private static Optional<Listing> listed(File folder, Path directory) throws IOException {
    if (!folder.exists()) {
      return Optional.empty();
    }
    String[] names = folder.list();
    if (names == null) {
      throw new IOException(folder + " is no directory, or may not be listed");
    }
    Listing listing = new Listing(new HashMap<>(), new ArrayList<>());
    for (String name : names) {
      File file = new File(folder, name);
      listing.add(directory, name, file.isFile(), file.length(), file.lastModified());
    }
    return Optional.of(listing);
  }

  private void add(Path directory, String name, boolean isFile, long size, long modified) {
    OptionalLong validFrom = isFile ? VersionFile.validFromMillis(name) : OptionalLong.empty();
    if (validFrom.isPresent()) {
      Path path = new Path(directory, name);
      versions.put(validFrom.getAsLong(), new VersionFile(path, size, modified));
    } else if (!name.startsWith(".") && !name.startsWith("_")) {
      otherNames.add(CONTROL_CHARACTERS.matcher(name).replaceAll("\uFFFD"));
    }
  }
}
