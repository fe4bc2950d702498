package clicktrends.reference;

import java.util.function.LongUnaryOperator;

/**
 * An immutable map from a key's 64-bit hash to a code: open addressing with linear probing, hashes
 * and codes in parallel, no key stored. At two thirds full a key takes 12 bytes plus 1.5 codes, so
 * 5 million users with up to 65,536 distinct rows take 75 MB, or up to an eighth more.
 *
 * <p><b>Collisions.</b> Two keys with the same hash are the same key here. The hash is keyed with a
 * secret ({@link KeyHash}), so collisions come by chance only. With n keys loaded,
 *
 * <ul>
 *   <li>a key that is not in the table is taken for one that is with probability n / 2^64: for n =
 *       5 million 2.7e-13, one wrong row in 3.7e12 lookups of unknown users (at 10,000 such lookups
 *       a second, one in 12 years). A key that is in the table always gets its own row.
 *   <li>two of the n keys collide with probability n(n-1) / 2^65: 6.8e-7 for 5 million users. The
 *       version is then refused as if it held a duplicate, never loaded wrongly.
 * </ul>
 */
final class CodeTable {
  /** What {@link #get} returns for a hash that is not in the table. */
  static final int NONE = -1;

  private final Hashes hashes;
  private final Codes codes;
  private final int size;

  private CodeTable(Hashes hashes, Codes codes, int size) {
    this.hashes = hashes;
    this.codes = codes;
    this.size = size;
  }

  int size() {
    return size;
  }

  int get(long hash) {
    int slot = hashes.slotOf(stored(hash));
    return slot < 0 ? NONE : codes.get(slot);
  }

  /** The hash as the set stores it, where 0 marks an empty slot. */
  private static long stored(long hash) {
    return hash == Hashes.EMPTY ? 1 : hash;
  }

  /**
   * Grows to the expected number of keys, and trims the excess at the end. For use by one thread.
   */
  static final class Builder {
    private static final int FIRST_CAPACITY = 1 << 10;

    /** An estimate from the first keys of a file may be far off. */
    private static final int MAX_GROWTH = 32;

    private static final int SPARE_SHARE = 16;
    private static final int MAX_SPARE_SHARE = 8;

    private final LongUnaryOperator expectedKeys;
    private Hashes hashes = Hashes.ofLength(FIRST_CAPACITY);
    private Codes codes = Codes.holding(0, hashes.length());
    private int greatest;
    private int size;

    /** Without an estimate: it doubles. */
    Builder() {
      this(keys -> 2 * keys);
    }

    /**
     * @param expectedKeys an estimate of the number of keys in all by the number of those added
     */
    Builder(LongUnaryOperator expectedKeys) {
      this.expectedKeys = expectedKeys;
    }

    /** Returns false, and changes nothing, if the hash is there already. */
    boolean add(long hash, int code) {
      long stored = stored(hash);
      int slot = ~hashes.slotOf(stored);
      if (slot < 0) {
        return false;
      }
      greatest = Math.max(greatest, code);
      if (greatest > codes.limit()) {
        widen();
      }
      hashes.set(slot, stored);
      codes.set(slot, code);
      size++;
      if (size > hashes.length() / 3 * 2) {
        rebuild(capacityFor(keysToExpect()));
      }
      return true;
    }

    CodeTable build() {
      int fitting = capacityFor(size);
      if (hashes.length() - fitting > fitting / MAX_SPARE_SHARE) {
        rebuild(fitting);
      }
      return new CodeTable(hashes, codes, size);
    }

    /** At least a quarter more than now, so that a low estimate costs little. */
    private long keysToExpect() {
      long expected = expectedKeys.applyAsLong(size);
      long atMost = Math.min(expected + expected / SPARE_SHARE, (long) size * MAX_GROWTH);
      return Math.max(atMost, size + size / 4L);
    }

    private static int capacityFor(long keys) {
      return Math.toIntExact(keys + keys / 2 + 2);
    }

    private void widen() {
      Codes wider = Codes.holding(greatest, hashes.length());
      for (int slot = 0; slot < hashes.length(); slot++) {
        wider.set(slot, codes.get(slot));
      }
      codes = wider;
    }

    private void rebuild(int capacity) {
      Hashes newHashes = Hashes.ofLength(capacity);
      Codes newCodes = Codes.holding(greatest, newHashes.length());
      for (int slot = 0; slot < hashes.length(); slot++) {
        long hash = hashes.get(slot);
        if (hash != Hashes.EMPTY) {
          int newSlot = ~newHashes.slotOf(hash);
          newHashes.set(newSlot, hash);
          newCodes.set(newSlot, codes.get(slot));
        }
      }
      hashes = newHashes;
      codes = newCodes;
    }
  }
}
