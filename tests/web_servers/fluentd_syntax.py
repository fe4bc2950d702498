"""A strict reader of fluentd's configuration: only parameters that its documentation names, each once."""

import re
from dataclasses import dataclass, field

# docs.fluentd.org: input/tail and, below configuration, parse-section, inject-section, format-section and
# buffer-section; the README of fluent-plugin-kinesis 3.6
KNOWN = {
    "source/tail": {"@type", "tag", "path", "pos_file", "read_from_head", "encoding", "emit_unmatched_lines"},
    "parse/json": {"@type", "time_key", "time_type", "estimate_current_event", "types"},
    "match/kinesis_streams": {
        *("@type", "region", "stream_name", "chomp_record", "retries_on_batch_request"),
        *("drop_failed_records_after_batch_request_retries", "monitor_num_of_batch_request_retries"),
    },
    "instance_profile_credentials/": set[str](),
    "inject/": {"time_key", "time_type", "time_format", "utc"},
    "format/json": {"@type", "add_newline"},
    "buffer/file": {
        *("@type", "path", "total_limit_size", "overflow_action", "chunk_limit_records", "chunk_limit_size"),
        *("flush_mode", "flush_interval", "flush_thread_count", "flush_thread_interval"),
        *("flush_thread_burst_interval", "retry_forever", "retry_type", "retry_wait"),
        *("retry_exponential_backoff_base", "retry_max_interval", "retry_randomize"),
    },
}
_OPEN = re.compile(r"<(?P<name>[a-z_]+)(?: (?P<argument>\S+))?>")


@dataclass
class Section:
    name: str
    argument: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    sections: dict[str, "Section"] = field(default_factory=dict)

    def __getitem__(self, parameter: str) -> str:
        return self.parameters[parameter]


def read(text: str) -> Section:
    """The file as a section without a name; raises ValueError with the line that is wrong."""
    root = Section("")
    open_sections = [root]
    for number, raw in enumerate(text.splitlines(), 1):
        line, section = raw.strip(), open_sections[-1]
        if not line or line.startswith("#"):
            continue
        if line == f"</{section.name}>":
            _check(section, number)
            open_sections.pop()
        elif opening := _OPEN.fullmatch(line):
            new = Section(opening["name"], opening["argument"] or "")
            if new.name in section.sections:
                raise ValueError(f"line {number}: a second <{new.name}>")
            section.sections[new.name] = new
            open_sections.append(new)
        elif section is root or line.startswith("<"):
            raise ValueError(f"line {number}: {line} has no place here")
        else:
            name, _, value = line.partition(" ")
            if name in section.parameters or not value:
                raise ValueError(f"line {number}: {name} is there twice, or has no value")
            section.parameters[name] = value
    if len(open_sections) > 1:
        raise ValueError(f"<{open_sections[-1].name}> is not closed")
    return root


def _check(section: Section, number: int) -> None:
    kind = f"{section.name}/{section.parameters.get('@type', '')}"
    if kind not in KNOWN:
        raise ValueError(f"line {number}: {kind} is no plugin that is used here")
    if unknown := section.parameters.keys() - KNOWN[kind]:
        raise ValueError(f"line {number}: {kind} has no {', '.join(sorted(unknown))}")
