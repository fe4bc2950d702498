package clicktrends.reference;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/** All loaded versions at one time, immutable: what lookups read. */
final class Versions {
  static final Versions NONE = new Versions(new Version[0]);

  private static final double MIN_SHARE_OF_USERS_BEFORE = 0.5;

  private final Version[] ascending;
  private final long[] validFromMillis;

  private Versions(Version[] ascending) {
    this.ascending = ascending;
    this.validFromMillis = Arrays.stream(ascending).mapToLong(Version::validFromMillis).toArray();
  }

  static Versions of(Collection<Version> versions) {
    return new Versions(
        versions.stream()
            .sorted(Comparator.comparingLong(Version::validFromMillis))
            .toArray(Version[]::new));
  }

  /** The version with the greatest valid_from at or before the time, or null if there is none. */
  Version inForceAt(long epochMillis) {
    int found = Arrays.binarySearch(validFromMillis, epochMillis);
    int index = found >= 0 ? found : -found - 2;
    return index < 0 ? null : ascending[index];
  }

  /** The version with the greatest valid_from of all, or null if there is none. */
  Version newest() {
    return inForceAt(Long.MAX_VALUE);
  }

  /**
   * The versions with less than half of the users of the version before them.
   *
   * @return valid_from of each, with the version before it
   */
  Map<Long, Version> shrunken() {
    Map<Long, Version> found = new TreeMap<>();
    for (int i = 1; i < ascending.length; i++) {
      if (isShrunken(ascending[i], ascending[i - 1])) {
        found.put(validFromMillis[i], ascending[i - 1]);
      }
    }
    return found;
  }

  static boolean isShrunken(Version version, Version before) {
    return version.users() < before.users() * MIN_SHARE_OF_USERS_BEFORE;
  }

  int count() {
    return ascending.length;
  }
}
