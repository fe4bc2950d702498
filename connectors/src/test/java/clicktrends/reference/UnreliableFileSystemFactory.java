package clicktrends.reference;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystemFactory;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.local.LocalFileSystem;

/**
 * The scheme {@code unreliable}: local files as of a distributed file system, whose listing fails
 * as often as a test asks for.
 */
public final class UnreliableFileSystemFactory implements FileSystemFactory {
  static final AtomicInteger FAILURES_LEFT = new AtomicInteger();

  @Override
  public String getScheme() {
    return "unreliable";
  }

  @Override
  public FileSystem create(URI uri) {
    return new LocalFileSystem() {
      @Override
      public boolean isDistributedFS() {
        return true;
      }

      @Override
      public FileStatus[] listStatus(Path path) throws IOException {
        if (FAILURES_LEFT.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          throw new IOException("503 Slow Down");
        }
        return super.listStatus(path);
      }
    };
  }
}
