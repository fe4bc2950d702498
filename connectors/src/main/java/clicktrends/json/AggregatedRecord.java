package clicktrends.json;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * A record in which the Kinesis Producer Library has aggregated user records: magic bytes, a
 * protobuf message, its MD5 digest.
 *
 * @see <a
 *     href="https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md">the
 *     format</a>
 */
final class AggregatedRecord {
  private static final byte[] MAGIC = {(byte) 0xF3, (byte) 0x89, (byte) 0x9A, (byte) 0xC2};
  private static final int DIGEST_BYTES = 16;

  // Fields of the message AggregatedRecord, and of its message Record
  private static final int RECORDS = 3;
  private static final int PARTITION_KEY_INDEX = 1;
  private static final int DATA = 3;

  // https://protobuf.dev/programming-guides/encoding/#structure
  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED_32 = 5;
  private static final int MAX_VARINT_BYTES = 10;
  private static final long NO_VARINT = -1;

  private final byte[] record;
  private int at;

  /** The last field that was read, and where the content of a length-delimited one begins. */
  private long number;

  private int wireType;
  private int content;

  private int[] bounds = new int[64];
  private int count;

  private AggregatedRecord(byte[] record) {
    this.record = record;
  }

  /**
   * Where the user records are, in order: the first position of one and the position after it, then
   * those of the next. Null if the record is not aggregated, as one with a wrong digest or message
   * is not.
   */
  static int[] userRecords(byte[] record) {
    int end = record.length - DIGEST_BYTES;
    if (end < MAGIC.length || !Arrays.equals(record, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return null;
    }
    AggregatedRecord aggregated = new AggregatedRecord(record);
    if (!aggregated.read(MAGIC.length, end) || !aggregated.hasDigest(end)) {
      return null;
    }
    return Arrays.copyOf(aggregated.bounds, aggregated.count);
  }

  private boolean hasDigest(int end) {
    try {
      MessageDigest digest = MessageDigest.getInstance("MD5");
      digest.update(record, MAGIC.length, end - MAGIC.length);
      return MessageDigest.isEqual(
          digest.digest(), Arrays.copyOfRange(record, end, end + DIGEST_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }

  private boolean read(int from, int end) {
    at = from;
    while (at < end) {
      if (!readField(end)) {
        return false;
      }
      int next = at;
      if (number == RECORDS && wireType == LENGTH_DELIMITED && !readUserRecord(content, next)) {
        return false;
      }
      at = next;
    }
    return true;
  }

  /** False if it is no protobuf, or lacks a required field. */
  private boolean readUserRecord(int from, int end) {
    boolean hasKey = false;
    int dataFrom = -1;
    int dataTo = -1;
    at = from;
    while (at < end) {
      if (!readField(end)) {
        return false;
      }
      if (number == DATA && wireType == LENGTH_DELIMITED) {
        dataFrom = content;
        dataTo = at;
      }
      hasKey |= number == PARTITION_KEY_INDEX && wireType == VARINT;
    }
    if (!hasKey || dataFrom < 0) {
      return false;
    }
    if (count == bounds.length) {
      bounds = Arrays.copyOf(bounds, 2 * count);
    }
    bounds[count++] = dataFrom;
    bounds[count++] = dataTo;
    return true;
  }

  /** Reads a field and goes past it; false if it is none, or is not in the message as a whole. */
  private boolean readField(int end) {
    long tag = varint(end);
    if (tag == NO_VARINT) {
      return false;
    }
    number = tag >>> 3;
    wireType = (int) (tag & 7);
    long size;
    switch (wireType) {
      case VARINT:
        size = varint(end) == NO_VARINT ? NO_VARINT : 0;
        break;
      case FIXED_64:
        size = Long.BYTES;
        break;
      case LENGTH_DELIMITED:
        size = varint(end);
        break;
      case FIXED_32:
        size = Integer.BYTES;
        break;
      default:
        return false;
    }
    content = at;
    if (number == 0 || size == NO_VARINT || size > end - at) {
      return false;
    }
    at += (int) size;
    return true;
  }

  /**
   * A varint, or NO_VARINT if it has no end. Of one that does not fit a positive long, the last
   * bits are right and the rest is greater than any number or length that is looked for.
   */
  private long varint(int end) {
    long value = 0;
    int last = Math.min(end, at + MAX_VARINT_BYTES);
    for (int shift = 0; at < last; shift += 7) {
      byte next = record[at++];
      if (shift < Long.SIZE - 1) {
        value |= (next & 0x7FL) << shift;
      } else if ((next & 0x7F) != 0) {
        value |= 1L << Long.SIZE - 2;
      }
      if (next >= 0) {
        return value;
      }
    }
    return NO_VARINT;
  }
}
