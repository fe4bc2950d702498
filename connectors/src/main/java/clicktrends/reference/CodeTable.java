package clicktrends.reference;

/**
 * An immutable map from a key's 64-bit hash to a code: open addressing with linear probing, two
 * parallel primitive arrays, no key stored. At two thirds full a key takes 12 bytes plus 1.5 codes,
 * so 5 million users with up to 65,536 distinct rows take 75 MB.
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

  private static final long EMPTY = 0;

  private final long[] hashes;
  private final Codes codes;
  private final int size;

  private CodeTable(long[] hashes, Codes codes, int size) {
    this.hashes = hashes;
    this.codes = codes;
    this.size = size;
  }

  int size() {
    return size;
  }

  int get(long hash) {
    long stored = stored(hash);
    int slot = slotOf(stored, hashes);
    return hashes[slot] == EMPTY ? NONE : codes.get(slot);
  }

  /** The hash as it stands in the array, where 0 marks an empty slot. */
  private static long stored(long hash) {
    return hash == EMPTY ? 1 : hash;
  }

  /** The slot that holds the hash, or the empty slot where it belongs. */
  private static int slotOf(long stored, long[] hashes) {
    int slot = (int) (((stored >>> 32) * hashes.length) >>> 32);
    while (hashes[slot] != stored && hashes[slot] != EMPTY) {
      slot = slot + 1 == hashes.length ? 0 : slot + 1;
    }
    return slot;
  }

  /** Grows by doubling and trims at the end; not for use by several threads. */
  static final class Builder {
    private static final int FIRST_CAPACITY = 1 << 10;

    private long[] hashes = new long[FIRST_CAPACITY];
    private Codes codes = Codes.holding(0, FIRST_CAPACITY);
    private int greatest;
    private int size;

    /** Returns false, and changes nothing, if the hash is there already. */
    boolean add(long hash, int code) {
      long stored = stored(hash);
      int slot = slotOf(stored, hashes);
      if (hashes[slot] != EMPTY) {
        return false;
      }
      greatest = Math.max(greatest, code);
      if (greatest > codes.limit()) {
        rebuild(hashes.length);
        slot = slotOf(stored, hashes);
      }
      hashes[slot] = stored;
      codes.set(slot, code);
      size++;
      if (size > hashes.length / 3 * 2) {
        rebuild(hashes.length * 2);
      }
      return true;
    }

    CodeTable build() {
      rebuild(size + size / 2 + 2);
      return new CodeTable(hashes, codes, size);
    }

    private void rebuild(int capacity) {
      long[] newHashes = new long[capacity];
      Codes newCodes = Codes.holding(greatest, capacity);
      for (int slot = 0; slot < hashes.length; slot++) {
        if (hashes[slot] != EMPTY) {
          int newSlot = slotOf(hashes[slot], newHashes);
          newHashes[newSlot] = hashes[slot];
          newCodes.set(newSlot, codes.get(slot));
        }
      }
      hashes = newHashes;
      codes = newCodes;
    }
  }
}
