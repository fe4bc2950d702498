package clicktrends.reference;

/** An array of non-negative codes, in the narrowest primitive type that holds the greatest one. */
sealed interface Codes {
  int get(int slot);

  void set(int slot, int code);

  /** The greatest code this array can hold. */
  int limit();

  static Codes holding(int greatest, int length) {
    if (greatest <= OfBytes.LIMIT) {
      return new OfBytes(new byte[length]);
    }
    return greatest <= OfShorts.LIMIT
        ? new OfShorts(new short[length])
        : new OfInts(new int[length]);
  }

  /** One byte a code. */
  record OfBytes(byte[] codes) implements Codes {
    private static final int LIMIT = 0xFF;

    @Override
    public int get(int slot) {
      return codes[slot] & LIMIT;
    }

    @Override
    public void set(int slot, int code) {
      codes[slot] = (byte) code;
    }

    @Override
    public int limit() {
      return LIMIT;
    }
  }

  /** Two bytes a code. */
  record OfShorts(short[] codes) implements Codes {
    private static final int LIMIT = 0xFFFF;

    @Override
    public int get(int slot) {
      return codes[slot] & LIMIT;
    }

    @Override
    public void set(int slot, int code) {
      codes[slot] = (short) code;
    }

    @Override
    public int limit() {
      return LIMIT;
    }
  }

  /** Four bytes a code. */
  record OfInts(int[] codes) implements Codes {
    @Override
    public int get(int slot) {
      return codes[slot];
    }

    @Override
    public void set(int slot, int code) {
      codes[slot] = code;
    }

    @Override
    public int limit() {
      return Integer.MAX_VALUE;
    }
  }
}
