package clicktrends.reference;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.bouncycastle.crypto.macs.SipHash;
import org.bouncycastle.crypto.params.KeyParameter;

/**
 * SipHash-2-4 of a key's UTF-8 bytes under a random secret of each JVM, so nobody can craft two
 * user ids with one hash. Hashes are never stored or sent. For use by one thread.
 */
final class KeyHash {
  private static final int SECRET_BYTES = 16;
  private static final KeyParameter SECRET = new KeyParameter(randomBytes());

  private final SipHash sipHash = new SipHash();
  private final CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
  private final ByteBuffer encoded = ByteBuffer.allocate(FieldRules.MAX_KEY_BYTES);

  KeyHash() {
    this(SECRET);
  }

  KeyHash(KeyParameter secret) {
    sipHash.init(secret);
  }

  long of(String key) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    return of(bytes, 0, bytes.length);
  }

  /**
   * Creates no object. The characters are consumed.
   *
   * @throws IllegalArgumentException if they are more than {@link FieldRules#MAX_KEY_BYTES} of
   *     UTF-8, or no text
   */
  long of(CharBuffer key) {
    encoded.clear();
    if (!encoder.reset().encode(key, encoded, true).isUnderflow()) {
      throw new IllegalArgumentException("A key must be checked before it is hashed");
    }
    return of(encoded.array(), 0, encoded.position());
  }

  /** Reads the bytes where they are: only a string that spans memory segments is copied. */
  long of(StringData key) {
    if (key instanceof BinaryStringData binary) {
      binary.ensureMaterialized();
      MemorySegment[] segments = binary.getSegments();
      if (segments.length == 1 && !segments[0].isOffHeap()) {
        return of(segments[0].getArray(), binary.getOffset(), binary.getSizeInBytes());
      }
    }
    byte[] bytes = key.toBytes();
    return of(bytes, 0, bytes.length);
  }

  private long of(byte[] bytes, int offset, int length) {
    sipHash.update(bytes, offset, length);
    return sipHash.doFinal(); // and is ready for the next key
  }

  private static byte[] randomBytes() {
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }
}
