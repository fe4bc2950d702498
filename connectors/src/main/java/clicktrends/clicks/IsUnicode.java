package clicktrends.clicks;

import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * SQL function: whether a string is Unicode; NULL for NULL. It is not if it contains half a
 * surrogate pair, for which the format {@code flat-json} keeps the bytes ED A0 80 to ED BF BF.
 */
public final class IsUnicode extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  private static final long ONES = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x80 * ONES;
  private static final long LEADS = 0xED * ONES;

  public Boolean eval(
      @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData text) {
    if (text == null) {
      return null;
    }
    BinaryStringData binary = (BinaryStringData) text;
    binary.ensureMaterialized();
    int size = binary.getSizeInBytes();
    MemorySegment[] segments = binary.getSegments();
    return segments.length == 1
        ? isUnicode(segments[0], binary.getOffset(), size)
        : isUnicode(MemorySegmentFactory.wrap(binary.toBytes()), 0, size);
  }

  /** Checks eight bytes at once, as few texts contain the byte ED; the last eight may overlap. */
  private static boolean isUnicode(MemorySegment text, int from, int size) {
    int end = from + size;
    if (size < Long.BYTES) {
      return !hasHalfPair(text, from, end, end);
    }
    int last = end - Long.BYTES;
    for (int at = from; at < last; at += Long.BYTES) {
      if (hasLead(text, at) && hasHalfPair(text, at, at + Long.BYTES, end)) {
        return false;
      }
    }
    return !hasLead(text, last) || !hasHalfPair(text, last, end, end);
  }

  private static boolean hasLead(MemorySegment text, int at) {
    long leads = text.getLong(at) ^ LEADS;
    return ((leads - ONES) & ~leads & HIGH_BITS) != 0;
  }

  private static boolean hasHalfPair(MemorySegment text, int from, int to, int end) {
    for (int i = from; i < to; i++) {
      if (text.get(i) == (byte) 0xED && i + 1 < end && (text.get(i + 1) & 0xFF) >= 0xA0) {
        return true;
      }
    }
    return false;
  }
}
