"""A local path as each engine takes it: Spark, its SQL, DuckDB and petastorm read some signs differently."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loanbook.errors import InputError

GLOB = re.compile(r"[\\*?\[\]{}]")  # what Spark takes for a pattern where it reads
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?=/)")


def scheme_of(text: str) -> str:
    """Return the scheme of a URI; empty of a path, in which a colon may stand too.

    >>> scheme_of("s3a://bucket/x"), scheme_of("file:/x"), scheme_of("/a:/b"), scheme_of("notes: a/b")
    ('s3a', 'file', '', '')
    """
    found = SCHEME.match(text)
    return found[1].lower() if found else ""


def local_path(text: str, what: str = "this folder") -> Path:
    """Return the absolute path that a text names: a path, ``~/`` being the home folder, or a ``file:`` URI.

    Args:
        text: as a user gave it.
        what: what it is for, in the words of the error.

    Raises:
        InputError: it has another scheme, names a host, is empty, holds signs that no engine takes, or is a
            ``file:`` URI with an escape such as ``%20``, which some engines undo and others do not.

    >>> str(local_path("file:///data/book")), str(local_path("/data/100%20"))
    ('/data/book', '/data/100%20')
    """
    if not text or any(sign < " " or sign == "\x7f" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise _refused(what, text, "which is empty, or holds control signs or bytes that are no text")
    scheme = scheme_of(text)
    if scheme not in ("", "file"):
        raise _refused(what, text, f"whose scheme {scheme!r} is not supported there")
    if not scheme:
        return (Path(text).expanduser() if text == "~" or text.startswith("~/") else Path(text)).absolute()
    rest = text[len("file:") :]
    if rest.startswith("//"):
        host, _, rest = rest[2:].partition("/")
        rest = f"/{rest}"
        if host not in ("", "localhost"):
            raise _refused(what, text, f"which names the host {host!r}")
    if found := ESCAPE.search(rest):
        raise _refused(what, text, f"in which {found[0]!r} may stand for a sign or be part of a name")
    return Path(rest)


def _refused(what: str, text: str, why: str) -> InputError:
    return InputError(
        required=f"a local or mounted path for {what}", found=f"{text!r}, {why}",
        do="write the plain path, such as /data/book or a mounted volume /Volumes/...",
    )  # fmt: skip


def delta_name(uri: str) -> str:
    """Return what Spark SQL calls the Delta table in a folder.

    >>> delta_name("/a`b/loans")
    'delta.`/a``b/loans`'
    """
    return "delta.`" + uri.replace("`", "``") + "`"


def spark_reads(path: Path) -> str:
    r"""Return the text by which Spark reads this file or folder, and none that a pattern would find.

    To write, Spark takes the path as it is.

    >>> spark_reads(Path("/a/x[1]*"))
    '/a/x\\[1\\]\\*'
    """
    return GLOB.sub(r"\\\g<0>", str(path))


def refuse_spark_files(path: Path, what: str) -> None:
    """Check that Spark can read files in a folder.

    Raises:
        InputError: Hadoop cuts a path with a sign of a pattern into names, and takes a colon for a scheme's.

    >>> refuse_spark_files(Path("/data/x[1]"), "paths.landing")  # escaped by spark_reads
    >>> refuse_spark_files(Path("/data/a:b"), "paths.landing")
    """
    if ":" in str(path) and (found := GLOB.search(str(path))):
        raise InputError(
            required=f"a path for {what} without ':', or without any of * ? [ ] {{ }} and \\",
            found=f"{str(path)!r}, with ':' and {found[0]!r}", do=f"set {what} to another folder",
        )  # fmt: skip


def refuse_duckdb_table(path: Path, what: str) -> None:
    r"""Check that DuckDB can read Delta tables in a folder.

    Raises:
        InputError: its Delta kernel undoes escapes such as ``%20`` in names, and takes ``\`` for ``/``.

    >>> refuse_duckdb_table(Path("/data/100%"), "paths.warehouse")
    >>> try:
    ...     refuse_duckdb_table(Path("/data/my%20book"), "paths.warehouse")
    ... except InputError as error:
    ...     print(error.found)
    '/data/my%20book', with '%20'
    """
    for name in (str(path), str(path.resolve())):  # the kernel follows links
        if found := re.search(rf"{ESCAPE.pattern}|\\", name):
            raise InputError(
                required=f"a path for {what} that 'loanbook sql' can read: without a backslash, and without "
                "a % before two hexadecimal digits",
                found=f"{name!r}, with {found[0]!r}", do=f"set {what} to another folder, or rename that one",
            )  # fmt: skip


@contextmanager
def plainly_named(folder: Path) -> Iterator[Path]:
    """Yield a link to a folder, whose own name petastorm would cut at ``#`` or ``?``.

    >>> with plainly_named(Path("/data/book#2")) as link:
    ...     link.name
    'link'
    """
    with tempfile.TemporaryDirectory(prefix="loanbook-") as temporary:
        link = Path(temporary) / "link"
        link.symlink_to(folder.absolute(), target_is_directory=True)
        yield link
