"""The count of analytics_sql/ by Spark Structured Streaming; prints its timing as bench.flink_counts does.

python spark_counts.py CLICKS_DIR SEGMENTS_DIR CHECKPOINT_DIR SEGMENT_COLUMNS WINDOW_SECONDS

SEGMENT_COLUMNS: their names with commas between; WINDOW_SECONDS: what a count spans. The environment of Spark
has nothing of the project.
The same checks, join and count as the SQL job, without the output of rejected clicks.
"""

import json
import sys
import time
from functools import reduce
from operator import and_

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

PARALLELISM = 2
# About as many clicks as Flink counts between two checkpoints: both publish every few seconds.
FILES_A_BATCH = 2
CONTRACT_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"


def main(clicks: str, segments: str, checkpoints: str, segment_columns: str, window_seconds: str) -> None:
    columns = segment_columns.split(",")
    spark = (
        SparkSession.builder.master(f"local[{PARALLELISM}]")
        .config("spark.sql.shuffle.partitions", str(PARALLELISM))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config(
            "spark.sql.streaming.stateStore.providerClass",
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
        )
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    users = spark.read.csv(segments, header=True)
    ids = [f.col(name) for name in ("click_id", "user_id", "article_id")]
    good = reduce(and_, [(id_ != "") & (f.octet_length(id_) <= 512) for id_ in ids])
    in_time = f.col("event_time") <= f.current_timestamp() + f.expr("INTERVAL 60 SECONDS")
    second = f.unix_seconds("event_time")
    minute = f.timestamp_seconds(second - second % int(window_seconds))
    counts = (
        spark.readStream.schema("click_id STRING, clicked_at STRING, user_id STRING, article_id STRING")
        .option("maxFilesPerTrigger", FILES_A_BATCH)
        .json(clicks)
        .where(good & f.col("clicked_at").rlike(CONTRACT_TIME))
        .withColumn("event_time", f.try_to_timestamp("clicked_at"))
        .where(in_time)
        .join(users, "user_id", "left")
        .fillna("unknown", columns)
        .groupBy(minute.alias("minute"), "article_id", *columns)
        .count()
    )
    started = time.monotonic()
    query = (
        counts.writeStream.outputMode("update")
        .format("noop")
        .option("checkpointLocation", checkpoints)
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    seconds = time.monotonic() - started
    read = sum(batch.numInputRows for batch in query.recentProgress)
    print(json.dumps({"seconds": seconds, "clicks": read}))


if __name__ == "__main__":
    main(*sys.argv[1:])
