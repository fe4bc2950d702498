"""The configuration that decides what an application computes, as deployed and as the service describes it.

Both are flat, name -> value. Values are text, as CloudFormation passes numbers to functions. A property is
named `<group>/<key>`.
"""

from collections.abc import Mapping
from typing import Any

Configuration = dict[str, str]


def asked_configuration(
    *,
    code_key: str,
    runtime: str,
    parallelism: int,
    parallelism_per_kpu: int,
    checkpoint_interval_ms: int,
    properties: Mapping[str, Mapping[str, str]],
) -> Configuration:
    """code_key: the zip's key in its bucket, with the hash of its content; properties: by group."""
    return {
        "code": code_key,
        "runtime": runtime,
        "parallelism": str(parallelism),
        "parallelism per KPU": str(parallelism_per_kpu),
        "checkpoint interval in ms": str(checkpoint_interval_ms),
        **{f"{group}/{key}": value for group, values in properties.items() for key, value in values.items()},
    }


def described_configuration(detail: Mapping[str, Any]) -> Configuration:
    """detail: DescribeApplication's ApplicationDetail; what it omits is empty."""
    described = detail.get("ApplicationConfigurationDescription", {})
    code = described.get("ApplicationCodeConfigurationDescription", {}).get("CodeContentDescription", {})
    flink = described.get("FlinkApplicationConfigurationDescription", {})
    parallelism = flink.get("ParallelismConfigurationDescription", {})
    groups = described.get("EnvironmentPropertyDescriptions", {}).get("PropertyGroupDescriptions", [])
    return {
        "code": code.get("S3ApplicationCodeLocationDescription", {}).get("FileKey", ""),
        "runtime": detail.get("RuntimeEnvironment", ""),
        "parallelism": str(parallelism.get("Parallelism", "")),
        "parallelism per KPU": str(parallelism.get("ParallelismPerKPU", "")),
        "checkpoint interval in ms": str(
            flink.get("CheckpointConfigurationDescription", {}).get("CheckpointInterval", "")
        ),
        **{
            f"{group['PropertyGroupId']}/{key}": str(value)
            for group in groups
            for key, value in group["PropertyMap"].items()
        },
    }


def differences(asked: Mapping[str, str], described: Mapping[str, str]) -> list[str]:
    """A clause for each value that is not as asked."""
    return [
        f"{name} is {described.get(name) or 'not set'} instead of {asked.get(name) or 'not set'}"
        for name in [*asked, *(name for name in described if name not in asked)]
        if asked.get(name) != described.get(name)
    ]
