package clicktrends.reference;

/**
 * A set of evenly spread hashes that gives the slot of each: open addressing with linear probing,
 * in chunks of at most 4 MiB. The JVM fills a new array with zeros at once, and no garbage
 * collection can begin before that is done. As one array, the hashes of 10 million users would be
 * 120 MB.
 *
 * <p>A full chunk and its header take a power of two of bytes: G1 gives a large object whole
 * regions.
 */
record Hashes(long[][] chunks, int chunkLength) {
  /** No hash in the set; marks an empty slot. */
  static final long EMPTY = 0;

  private static final int MAX_CHUNK_LENGTH = (1 << 19) - 2;
  private static final long LOW_BITS = 0xFFFF_FFFFL;

  static Hashes ofLength(int atLeast) {
    int count = (atLeast - 1) / MAX_CHUNK_LENGTH + 1;
    int chunkLength = (atLeast - 1) / count + 1;
    return new Hashes(new long[count][chunkLength], chunkLength);
  }

  int length() {
    return chunks.length * chunkLength;
  }

  /** The slot that holds the hash; if none does, the empty one where it belongs, as ~slot. */
  int slotOf(long hash) {
    long place = (hash >>> 32) * chunks.length;
    int number = (int) (place >>> 32);
    long[] chunk = chunks[number];
    int index = (int) (((place & LOW_BITS) * chunk.length) >>> 32);
    while (chunk[index] != hash) {
      if (chunk[index] == EMPTY) {
        return ~(number * chunkLength + index);
      }
      index = index + 1 == chunk.length ? 0 : index + 1;
    }
    return number * chunkLength + index;
  }

  long get(int slot) {
    return chunks[slot / chunkLength][slot % chunkLength];
  }

  void set(int slot, long hash) {
    chunks[slot / chunkLength][slot % chunkLength] = hash;
  }
}
