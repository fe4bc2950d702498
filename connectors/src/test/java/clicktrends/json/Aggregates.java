package clicktrends.json;

import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.util.List;

/** Makes records as the Kinesis Producer Library aggregates them. */
final class Aggregates {
  private Aggregates() {}

  static byte[] of(List<byte[]> userRecords) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    for (byte[] data : userRecords) {
      ByteArrayOutputStream record = new ByteArrayOutputStream();
      record.write(1 << 3);
      record.write(0);
      writeField(record, data);
      writeField(message, record.toByteArray());
    }
    return sealed(message.toByteArray());
  }

  /** A message between the magic bytes and its digest. */
  static byte[] sealed(byte[] message) {
    try {
      ByteArrayOutputStream record = new ByteArrayOutputStream();
      record.writeBytes(new byte[] {(byte) 0xF3, (byte) 0x89, (byte) 0x9A, (byte) 0xC2});
      record.writeBytes(message);
      record.writeBytes(MessageDigest.getInstance("MD5").digest(message));
      return record.toByteArray();
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Field 3, of the message and of a record in it. */
  private static void writeField(ByteArrayOutputStream to, byte[] content) {
    to.write(3 << 3 | 2);
    int size = content.length;
    while (size > 0x7F) {
      to.write(size & 0x7F | 0x80);
      size >>= 7;
    }
    to.write(size);
    to.writeBytes(content);
  }
}
