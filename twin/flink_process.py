"""The program of an emulated application on this machine: its code, and what its process finds around it."""

import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import find_java
from names import OREGON
from twin.emulator import Emulator


def unpack_code(emulator: Emulator, role_arn: str, description: dict[str, Any], folder: Path) -> None:
    """description: the control plane's, of the application's code; it is fetched with the role."""
    location = description["CodeContentDescription"]["S3ApplicationCodeLocationDescription"]
    bucket = location["BucketARN"].rsplit(":", 1)[-1]
    s3 = emulator.client_as(role_arn, "s3", OREGON)
    content = s3.get_object(Bucket=bucket, Key=location["FileKey"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)


def flink_environment(
    emulator: Emulator, role_arn: str, *, work: Path, logs: Path, name: str
) -> dict[str, str]:
    """With the role's credentials and no others. name: part of the names of Flink's logs."""
    credentials = emulator.session_as(role_arn, OREGON).get_credentials()
    assert credentials is not None  # just created by session_as
    temporary = work / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    find_java()
    return {
        **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(work),
        "TMPDIR": str(work),
        "FLINK_LOG_DIR": str(logs),
        "FLINK_IDENT_STRING": name,
        # Beside the options of Flink's own configuration, which FLINK_ENV_JAVA_OPTS would replace. Starts
        # faster, and the twin's traffic is light. The heap is taken at once, not within the first hour, in
        # which it would look like a leak. Java ignores TMPDIR, and the 90 MB that Flink unpacks would
        # remain in the system's folder when its process is killed.
        "JVM_ARGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms384m -XX:+AlwaysPreTouch "
        f"-Djava.io.tmpdir={temporary}",
        # MiniStack authorises a request by the resource in its body, which it reads as JSON.
        "CBOR_ENABLED": "false",
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_REGION": OREGON,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token or "",
    }
