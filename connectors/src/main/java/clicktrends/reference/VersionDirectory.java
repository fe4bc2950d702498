package clicktrends.reference;

import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions in one directory: listed, loaded, or refused. One thread at a time calls {@link
 * #check}; any thread calls {@link #current}.
 */
final class VersionDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(VersionDirectory.class);

  private final ReferenceSettings settings;
  private final Clock clock;
  private final TreeMap<Long, Loaded> loaded = new TreeMap<>();
  private final TreeMap<Long, Refused> refused = new TreeMap<>();
  private final TreeMap<String, String> otherNames = new TreeMap<>();
  private Map<Long, Version> shrunken = Map.of();
  private boolean missing;
  private volatile State current;

  VersionDirectory(ReferenceSettings settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    this.current = new State(Versions.NONE, List.of(), 0, clock.millis());
  }

  /**
   * What lookups and metrics read.
   *
   * @param refused the reason for each refused file
   * @param shrunken number of versions far smaller than the one before: those ahead, in force, or
   *     past and not made up for
   * @param checkedMillis when a check last came to its end; before the first, when the table was
   *     opened
   */
  record State(Versions versions, List<String> refused, int shrunken, long checkedMillis) {
    long secondsSinceCheck(long nowMillis) {
      return Math.max(0, nowMillis - checkedMillis) / 1000;
    }
  }

  private record Loaded(Version version, VersionFile file) {}

  private record Refused(String problem, VersionFile file) {}

  State current() {
    return current;
  }

  long now() {
    return clock.millis();
  }

  /**
   * Lists the directory, loads versions not seen before and drops those past the history.
   *
   * @throws IOException if the directory or a file cannot be read; what could be read is in place
   */
  void check() throws IOException {
    Listing listed = list();
    refuseOthers(listed.otherNames());
    refused.keySet().retainAll(listed.versions().keySet());
    IOException failure = loadNewestFirst(listed.versions());
    Versions versions =
        Versions.of(loaded.values().stream().map(Loaded::version).collect(Collectors.toList()));
    findShrunken(versions);
    long checked = failure == null ? now() : current.checkedMillis();
    current = new State(versions, problems(), shrunkenFromNowOn(versions), checked);
    if (failure != null) {
      throw failure;
    }
  }

  private List<String> problems() {
    return Stream.concat(
            refused.values().stream().map(Refused::problem), otherNames.values().stream())
        .toList();
  }

  /** Newest first, so that no version past the history is read only to be dropped. */
  private IOException loadNewestFirst(Map<Long, VersionFile> listed) {
    IOException failure = null;
    NavigableSet<Long> known = new TreeSet<>(listed.keySet());
    known.addAll(loaded.keySet());
    for (long validFrom : known.descendingSet()) {
      VersionFile file = listed.get(validFrom);
      String correction = settings.corrections().get(VersionFile.nameOf(validFrom));
      try {
        if (loaded.containsKey(validFrom)) {
          warnIfWrittenAgain(validFrom, file);
        } else if (correction != null) {
          loadCorrected(validFrom, file, new Path(correction));
        } else if (!isRefused(validFrom, file)) {
          load(validFrom, file);
        }
      } catch (IOException e) {
        failure = e;
      }
      if (loaded.containsKey(validFrom) && endsHistory(validFrom)) {
        dropBefore(validFrom);
        break;
      }
    }
    return failure;
  }

  private boolean isRefused(long validFrom, VersionFile file) {
    Refused known = refused.get(validFrom);
    return known != null && known.file().equals(file);
  }

  private boolean endsHistory(long validFrom) {
    return settings.history() != null && validFrom + settings.history().toMillis() < now();
  }

  private void dropBefore(long validFrom) {
    Map<Long, Loaded> past = loaded.headMap(validFrom);
    past.keySet().forEach(v -> LOG.info("Dropped {}: past the history", VersionFile.nameOf(v)));
    past.clear();
    refused.headMap(validFrom).clear();
  }

  private void findShrunken(Versions versions) {
    Map<Long, Version> found = versions.shrunken();
    found.forEach(
        (validFrom, before) -> {
          if (!shrunken.containsKey(validFrom)) {
            LOG.warn(
                "{} has {} users where {} before it has {}: if that is a mistake, its missing users"
                    + " count as unknown until a complete version is published under a later"
                    + " valid_from",
                VersionFile.nameOf(validFrom),
                loaded.get(validFrom).version().users(),
                VersionFile.nameOf(before.validFromMillis()),
                before.users());
          }
        });
    shrunken = Map.copyOf(found);
  }

  /** Of a past one: unless the version in force has the users again that it lacked. */
  private int shrunkenFromNowOn(Versions versions) {
    Version inForce = versions.inForceAt(now());
    return inForce == null
        ? shrunken.size()
        : (int)
            shrunken.entrySet().stream()
                .filter(
                    each ->
                        each.getKey() >= inForce.validFromMillis()
                            || Versions.isShrunken(inForce, each.getValue()))
                .count();
  }

  private void load(long validFrom, VersionFile file) throws IOException {
    try {
      Version version = VersionReader.read(file, validFrom, settings);
      refused.remove(validFrom);
      loaded.put(validFrom, new Loaded(version, file));
      LOG.info(
          "Loaded {}: {} users, {} distinct rows",
          file.path(),
          version.users(),
          version.rows().length);
    } catch (BadVersionException e) {
      refused.put(validFrom, new Refused(e.getMessage(), file));
      LOG.error(
          "Refused a version: {}. The last good version, if any, stays in force. Publish the corrected"
              + " file under a later valid_from that is still ahead; then this one may be deleted.",
          e.getMessage());
    }
  }

  /**
   * Never falls back to the version: its clicks would be counted with both.
   *
   * @throws IOException also if the correction is missing or bad
   */
  private void loadCorrected(long validFrom, VersionFile file, Path correction) throws IOException {
    try {
      FileStatus found = correction.getFileSystem().getFileStatus(correction);
      VersionFile read = new VersionFile(correction, found.getLen(), found.getModificationTime());
      Version version = VersionReader.read(read, validFrom, settings);
      loaded.put(validFrom, new Loaded(version, file));
      LOG.info(
          "Loaded {} in place of {}: {} users, {} distinct rows",
          correction,
          file.path(),
          version.users(),
          version.rows().length);
    } catch (BadVersionException | IOException e) {
      throw new IOException(
          correction + ", to be read in place of " + file.path() + ", cannot be: " + e.getMessage(),
          e);
    }
  }

  private void warnIfWrittenAgain(long validFrom, VersionFile file) {
    Loaded known = loaded.get(validFrom);
    if (file != null && !file.equals(known.file())) {
      loaded.put(validFrom, new Loaded(known.version(), file));
      LOG.warn(
          "{} was written again after it had been loaded ({} bytes then, {} now). Versions are"
              + " immutable: the change is ignored, but a restarted job would read it. Put the"
              + " loaded content back and publish the change under a later valid_from.",
          file.path(),
          known.file().size(),
          file.size());
    }
  }

  private Listing list() throws IOException {
    Path directory = new Path(settings.directory());
    Optional<Listing> found = Listing.of(directory);
    if (found.isEmpty() && !missing) {
      LOG.warn(
          "{} does not exist: there are no versions yet, and every lookup finds nothing. Publish"
              + " one, or correct the option 'path' of the table.",
          directory);
    }
    missing = found.isEmpty();
    return found.orElse(Listing.EMPTY);
  }

  private void refuseOthers(List<String> names) {
    otherNames.keySet().retainAll(names);
    for (String name : names) {
      otherNames.computeIfAbsent(
          name,
          added -> {
            String problem =
                settings.directory()
                    + ": '"
                    + added
                    + "' is no file named like 20260131T000000Z.csv, after the second in UTC from"
                    + " which it holds";
            LOG.error(
                "Refused {}. Nobody gets a segment from it: publish it under such a name, with a time"
                    + " that is still ahead, and delete this one.",
                problem);
            return problem;
          });
    }
  }
}
