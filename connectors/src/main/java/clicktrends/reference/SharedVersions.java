package clicktrends.reference;

import java.io.IOException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions of one reference table, loaded once for all tasks of the JVM that have the same
 * settings. All reading is done by one daemon thread, which ends when the last task releases.
 */
final class SharedVersions {
  private static final Logger LOG = LoggerFactory.getLogger(SharedVersions.class);
  private static final Map<ReferenceSettings, SharedVersions> IN_USE = new HashMap<>();

  private static final int SHOWN = 5;
  private static final int FIRST_LOAD_ATTEMPTS = 4;
  private static final long FIRST_BACK_OFF_MILLIS = 500;

  private final ReferenceSettings settings;
  private final VersionDirectory directory;
  private final ScheduledExecutorService thread;
  private final Future<?> firstLoad;
  private int tasks;

  private SharedVersions(ReferenceSettings settings) {
    this.settings = settings;
    this.directory = new VersionDirectory(settings, Clock.systemUTC());
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread daemon = new Thread(work, "versioned-reference " + settings.directory());
              daemon.setDaemon(true);
              return daemon;
            });
    this.firstLoad =
        thread.submit(
            () -> {
              loadFirst();
              return null;
            });
  }

  /**
   * Joins the tasks that share these settings, and waits until the versions present are loaded.
   *
   * @throws IOException if they cannot be read
   */
  static SharedVersions acquire(ReferenceSettings settings)
      throws IOException, InterruptedException {
    SharedVersions shared;
    synchronized (IN_USE) {
      shared = IN_USE.computeIfAbsent(settings, SharedVersions::new);
      shared.tasks++;
    }
    try {
      shared.firstLoad.get();
      return shared;
    } catch (ExecutionException e) {
      shared.giveUp();
      throw new IOException(e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      shared.release();
      throw e;
    }
  }

  /** Leaves; the last task to do so stops the thread and frees the versions. */
  void release() {
    synchronized (IN_USE) {
      tasks--;
      if (tasks == 0) {
        IN_USE.remove(settings, this);
        thread.shutdownNow();
      }
    }
  }

  /**
   * Called after a failed first load, so that the next task starts anew instead of sharing the
   * failure.
   */
  private void giveUp() {
    synchronized (IN_USE) {
      IN_USE.remove(settings, this);
      release();
    }
  }

  VersionDirectory.State current() {
    return directory.current();
  }

  long now() {
    return directory.now();
  }

  private void loadFirst() throws IOException, InterruptedException {
    long backOffMillis = FIRST_BACK_OFF_MILLIS;
    for (int attempt = 1; !loaded(attempt); attempt++) {
      Thread.sleep(backOffMillis);
      backOffMillis *= 2;
    }
    long intervalMillis = settings.checkInterval().toMillis();
    if (intervalMillis == 0) {
      refuseBadVersions();
    } else {
      thread.scheduleWithFixedDelay(
          this::checkAgain, intervalMillis, intervalMillis, TimeUnit.MILLISECONDS);
    }
  }

  private boolean loaded(int attempt) throws IOException {
    try {
      directory.check();
      return true;
    } catch (IOException e) {
      if (attempt == FIRST_LOAD_ATTEMPTS || thread.isShutdown()) {
        throw new IOException(
            "Cannot read the versions in "
                + settings.directory()
                + " after "
                + attempt
                + " attempts: "
                + e.getMessage()
                + ". Check that the job's role may list the directory and read its files.",
            e);
      }
      LOG.warn("Cannot read the versions in {} (attempt {})", settings.directory(), attempt, e);
      return false;
    }
  }

  /** When the directory is read only once, nobody would notice that a bad version is missing. */
  private void refuseBadVersions() throws IOException {
    List<String> refused = current().refused();
    if (!refused.isEmpty()) {
      String more = refused.size() > SHOWN ? " (and " + (refused.size() - SHOWN) + " more)" : "";
      throw new IOException(
          refused.stream().limit(SHOWN).collect(Collectors.joining(" | "))
              + more
              + ". Correct it, or take it out of the directory to go on with the version before it.");
    }
  }

  /** No exception may escape, or the executor would never check again. */
  private void checkAgain() {
    try {
      directory.check();
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      if (thread.isShutdown()) {
        return;
      }
      LOG.error(
          "Cannot read the versions in {}; those loaded stay in force, and the next check in {} s"
              + " tries again",
          settings.directory(),
          settings.checkInterval().toSeconds(),
          e);
    }
  }
}
