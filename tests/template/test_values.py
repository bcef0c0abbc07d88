"""Reading values files: merging them, and what is said of those that cannot be read."""

from pathlib import Path

import pytest

from turnout import values
from turnout.errors import Invalid


@pytest.fixture
def write(tmp_path: Path) -> "Write":
    return Write(tmp_path)


class Write:
    """Writes files whose names come back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __call__(self, content: str | bytes) -> str:
        self._count += 1
        file = self._folder / f"{self._count}.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)


def test_later_files_prevail_key_by_key(write: Write) -> None:
    files = [write("a: {x: 1, y: 2}\nb: [1, 2]\nc: 1"), write("a: {y: 3}\nb: [4]"), write("c: null")]
    assert values.read(files) == {"a": {"x": 1, "y": 3}, "b": [4], "c": None}


def test_assignments_prevail_over_files(write: Write) -> None:
    assert values.read([write("a: {x: 1, y: 2}")], ["a.x=3"]) == {"a": {"x": 3, "y": 2}}


@pytest.mark.parametrize(
    ("assignments", "result"),
    [
        pytest.param(["a=b"], {"a": "b"}, id="text"),
        pytest.param(["a=12.5", "b=true", "c="], {"a": 12.5, "b": True, "c": None}, id="other types"),
        pytest.param(["a=x=y"], {"a": "x=y"}, id="equals sign in the value"),
        pytest.param(["a=[{weight: 20}]"], {"a": [{"weight": 20}]}, id="any YAML"),
        pytest.param(["a[0].b=1", "a[1].b=2", "a[0].c=3"], {"a": [{"b": 1, "c": 3}, {"b": 2}]}, id="lists"),
    ],
)
def test_an_assignment_is_a_path_and_yaml(assignments: list[str], result: object) -> None:
    assert values.read([], assignments) == result


@pytest.mark.parametrize(
    ("assignment", "line"),
    [
        ("a", '--set "a": is no key=value, such as modelVersions[1].weight=80'),
        ("=1", '--set "=1": is no key=value, such as modelVersions[1].weight=80'),
        ("a[1]=x", '--set "a[1]=x": [1] is set in null, expected a list of at least 1 items'),
        ("b[0]=x", '--set "b[0]=x": [0] is set in 5, expected a list of at least 0 items'),
        ("b.c=x", '--set "b.c=x": c is set in 5, which has no keys'),
        ("a=]", "--set \"a=]\": is not YAML: expected the node content, but found ']' (line 1, column 1)"),
    ],
)
def test_a_wrong_assignment_is_named(write: Write, assignment: str, line: str) -> None:
    with pytest.raises(Invalid) as refused:
        values.read([write("b: 5")], [assignment])
    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("", "is empty, expected keys and values", id="empty"),
        pytest.param("# nothing\n---\n", "is empty, expected keys and values", id="only a comment"),
        pytest.param("- a\n- b", 'found ["a", "b"], expected keys and values', id="list"),
        pytest.param("hello", 'found "hello", expected keys and values', id="scalar"),
        pytest.param(
            "a: [",
            "is not YAML: expected the node content, but found '<stream end>' (line 1, column 5)",
            id="no YAML",
        ),
        pytest.param(
            "a: 1\n---\nb: 2",
            "holds 2 YAML documents, expected one",
            id="two documents",
        ),
        pytest.param("a: 1\na: 2", 'is not YAML: key "a" comes twice (line 2, column 1)', id="key twice"),
        pytest.param("a: 2024-13-45", "is not YAML: month must be in 1..12", id="impossible date"),
        pytest.param("a: !!python/name:os.system", None, id="tag of Python"),
        pytest.param("a: \x00", None, id="control character"),
        pytest.param(b"a: \xff", "is not UTF-8 text: invalid start byte at byte 4", id="not UTF-8"),
        pytest.param("a: " + "[" * 5000, None, id="too deep"),
        pytest.param("a: " + "9" * 5000, None, id="too many digits"),
    ],
)
def test_a_file_that_is_no_values_is_named_in_one_line(
    write: Write, content: str | bytes, line: str | None
) -> None:
    file = write(content)
    with pytest.raises(Invalid) as refused:
        values.read([file])
    assert "\n" not in str(refused.value)
    if line:
        assert str(refused.value) == f"{file}: {line}"


def test_a_byte_order_mark_is_no_part_of_the_text(write: Write) -> None:
    assert values.read([write(b"\xef\xbb\xbfa: 1")]) == {"a": 1}


def test_a_merge_key_is_no_key_that_comes_twice(write: Write) -> None:
    text = "a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: *a\n  y: 3\n"
    assert values.read([write(text)])["c"] == {"x": 1, "y": 3}


def test_values_that_contain_themselves_are_refused(write: Write) -> None:
    with pytest.raises(Invalid, match="contains itself"):
        values.read([write("a: &a\n  b: *a"), write("a: &a\n  b: *a")])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no\.yaml: cannot be read: No such file or directory"):
        values.read([str(tmp_path / "no.yaml")])


def test_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: Is a directory"):
        values.read([str(tmp_path)])
