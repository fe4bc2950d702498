"""A mistake in an environment's file is refused with the file, the key and the remedy."""

from pathlib import Path

import pytest

from settings import ENVIRONMENTS, SettingsError, load

GOOD = """
environment = "trial"
account = "111111111111"
"""


def settings_error(folder: Path, text: str, environment: str = "trial") -> str:
    (folder / f"{environment}.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load(environment, folder)
    return str(raised.value)


@pytest.mark.parametrize("file", sorted(ENVIRONMENTS.glob("*.toml")), ids=lambda file: file.stem)
def test_each_environment_of_the_project_can_be_used(file: Path) -> None:
    assert load(file.stem).environment == file.stem


def test_an_unknown_environment_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(GOOD)
    with pytest.raises(SettingsError, match=r"no environment 'tria' \(known: trial\).*-c environment=NAME"):
        load("tria", tmp_path)


def test_an_unknown_key_is_named_with_its_file_and_section(tmp_path: Path) -> None:
    message = settings_error(tmp_path, GOOD + "[search]\ninstance_cuont = 3\n")
    assert f"{tmp_path.name}/trial.toml" in message
    assert "search.instance_cuont: there is no such setting" in message


def test_a_value_out_of_range_is_refused_with_the_keys_description(tmp_path: Path) -> None:
    message = settings_error(tmp_path, GOOD + "[delivery]\ncounts_buffer_seconds = 60\n")
    assert "delivery.counts_buffer_seconds" in message
    assert "less than or equal to 5" in message
    assert "in seconds" in message


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    assert "trial.toml is not valid TOML" in settings_error(tmp_path, "environment = trial")


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-16", "utf-16-le", "utf-32", "euc_jp"])
def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "trial.toml").write_bytes(f"{GOOD}# 本番\n".encode(encoding))
    with pytest.raises(SettingsError, match=r"trial\.toml is not UTF-8 \(line [1-4]\).*save it as UTF-8"):
        load("trial", tmp_path)


@pytest.mark.parametrize(
    ("encoding", "named"), [("shift_jis", "SHIFT_JIS"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")]
)
def test_the_suggested_conversion_names_the_files_encoding(tmp_path: Path, encoding: str, named: str) -> None:
    (tmp_path / "trial.toml").write_bytes(f"{GOOD}# 本番\n".encode(encoding))
    with pytest.raises(SettingsError, match=f"iconv -f {named} -t UTF-8"):
        load("trial", tmp_path)


def test_a_byte_order_mark_before_the_settings_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(f"{GOOD}# 本番\n", encoding="utf-8-sig")
    assert load("trial", tmp_path).environment == "trial"


def test_settings_are_read_as_utf_8_whatever_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    (tmp_path / "trial.toml").write_text(f"{GOOD}# 本番\n", encoding="utf-8")
    assert load("trial", tmp_path).environment == "trial"


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").mkdir()
    with pytest.raises(SettingsError, match=r"trial\.toml cannot be read \(Is a directory\)"):
        load("trial", tmp_path)


def test_a_file_that_nobody_may_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingsError, match=r"trial\.toml cannot be read \(Permission denied\)"):
        load("trial", tmp_path)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(name, tmp_path)


def test_a_file_of_another_environment_is_refused(tmp_path: Path) -> None:
    message = settings_error(tmp_path, GOOD.replace("trial", "other"))
    assert 'write "trial" there, or rename the file to other.toml' in message


@pytest.mark.parametrize("name", ["a-name-of-sixteen", "Trial", "1st", "trial-"])
def test_a_name_that_no_domain_could_have_is_refused(tmp_path: Path, name: str) -> None:
    message = settings_error(tmp_path, GOOD.replace("trial", name), environment=name)
    assert "at most 15 characters" in message


@pytest.mark.parametrize(
    ("lines", "remedy"),
    [
        (
            "[analytics]\nallowed_lateness_hours = 48",
            "set streams.retention_hours = 48, or shorten the allowed lateness",
        ),
        ("[forwarder]\nmax_record_age_seconds = 86401", "set it to 86400 or less, or lengthen the retention"),
        ("[analytics]\nparallelism = 2\nparallelism_per_kpu = 4", "set it to 2 or less"),
        ("[peak]\nclicks_per_second = 30000", "set analytics.parallelism = 3"),
        ("[search]\ninstance_count = 4\navailability_zones = 3", "set it to 6, or change the zones"),
        ("[search]\ninstance_count = 1\navailability_zones = 2", "set it to 2, or change the zones"),
        ('[mobile_apps]\nissuer = "https://login.example.jp"', "write the issuer's URL and the client ids"),
        (
            '[mobile_apps]\nissuer = "https://login.example.jp"\nclient_ids = ["news-app"]\n'
            'issuer_provider_arn = "arn:aws:iam::111111111111:oidc-provider/login.example.jp"',
            "remove issuer and client_ids",
        ),
        (
            '[mobile_apps]\nissuer_provider_arn = "arn:aws:iam::000000000000:oidc-provider/login.example.jp"',
            "write the ARN of the provider in account 111111111111",
        ),
        ("[search]\nretention_days = 3", "set search.retention_days = 4, or shorten the allowed lateness"),
        (
            "[search]\nretention_days = 9\n[analytics]\nallowed_lateness_hours = 168\n"
            "[streams]\nretention_hours = 168",
            "set search.retention_days = 10",
        ),
        (
            "[search]\nretention_days = 3\n[delivery]\nredelivery_give_up_hours = 168",
            "set search.retention_days = 10, or shorten the allowed lateness or redelivery",
        ),
        (  # the index would be deleted in the very hour of its last count
            "[search]\nretention_days = 3\n[analytics]\nallowed_lateness_hours = 20\n"
            "[delivery]\nredelivery_give_up_hours = 25",
            "set search.retention_days = 4, or shorten the allowed lateness or redelivery",
        ),
        (
            "[feedback]\nkeep_hours = 2\nperiod_minutes = 13\nrefresh_minutes = 60",
            "feedback.keep_hours (2) must be at least 125 minutes",
        ),
        (
            "[analytics]\npublish_every_seconds = 300\n[feedback]\nperiod_minutes = 5\nrefresh_minutes = 5\n"
            "[latency]\nvisible_seconds = 400\nserved_seconds = 800",
            "set feedback.max_input_age_seconds = 310",
        ),
        (
            "[feedback]\nmin_clicks = 1000000",
            "no article would be in any ranking: set it to far less than 600,000",
        ),
        (
            "[forwarder]\nmax_record_age_seconds = 62",
            "given up when it first fails: set it to 63 or more, or shorten them",
        ),
        ("[segments]\nmax_users = 30_000_000", "set it to 25,000,000 or less"),
        (
            "[delivery]\ncounts_retry_seconds = 7200\nredelivery_give_up_hours = 3",
            "set it to 4 or more, or shorten the retry",
        ),
        ('[search]\nscheme = "http"', "remove it, OpenSearch Service uses https"),
        ('lambda_processor = "host"', 'write "arm64" or "x86_64"'),
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused_with_the_remedy(
    tmp_path: Path, lines: str, remedy: str
) -> None:
    assert remedy in settings_error(tmp_path, GOOD + lines)


@pytest.mark.parametrize(
    "lines",
    [
        "[search]\nretention_days = 4",
        "[search]\nretention_days = 10\n[delivery]\nredelivery_give_up_hours = 168",
        "[analytics]\npublish_every_seconds = 300\n[feedback]\nmax_input_age_seconds = 310\n"
        "[latency]\nvisible_seconds = 400\nserved_seconds = 800",
        "[forwarder]\nmax_record_age_seconds = 63",
        "[feedback]\nkeep_hours = 2\nperiod_minutes = 12\nrefresh_minutes = 60\n"
        "[latency]\nserved_seconds = 1000",
        "[delivery]\ncounts_retry_seconds = 7200\nredelivery_give_up_hours = 4",
        "[search]\nretention_days = 3\n[analytics]\nallowed_lateness_hours = 20",
        '[mobile_apps]\nissuer_provider_arn = "arn:aws:iam::111111111111:oidc-provider/login.example.jp/a"',
    ],
)
def test_fields_that_just_fit_each_other_are_accepted(tmp_path: Path, lines: str) -> None:
    (tmp_path / "trial.toml").write_text(GOOD + lines)
    assert load("trial", tmp_path).environment == "trial"


@pytest.mark.parametrize(
    "arn", ["login.example.jp", "arn:aws:iam::1:oidc-provider/x", "arn:aws:iam::111111111111:role/x"]
)
def test_a_malformed_provider_arn_is_refused(tmp_path: Path, arn: str) -> None:
    message = settings_error(tmp_path, GOOD + f'[mobile_apps]\nissuer_provider_arn = "{arn}"')
    assert "mobile_apps.issuer_provider_arn" in message
