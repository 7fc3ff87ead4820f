"""SQL over tables in memory and nothing else: the one owner of DuckDB, for `results --sql` and `fit --where` alike.

A query may be copied from a page or written by a program, so it reaches no file, no network, no other database and no
object of Python, is one statement that only reads, and has bounds on memory and time. DuckDB counts no long strings
against its own limit (`repeat('a', 2000000000)` took 17 GB), so this process may grow only so much meanwhile; and it
stops between two calls of a function, not inside one (`lpad('a', 2000000000, 'b')` took over 30 s), so a query that
does not stop ends the process.
"""

import os
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from rewards.bounded_file import MIB
from sweeper.host.errors import ResultsError

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # else a name that is no table is looked up among our variables
    "memory_limit": "256MB",
    "temp_directory": "",
    "threads": "1",
    "lock_configuration": "true",
}
SECONDS = 4.0
GRACE = 1.0  # more, for a query to stop in
GROWTH = 384 * MIB  # of this process's address space: what DuckDB may take, and what the answer takes
MOST_ROWS = 100_000


class QueryError(ResultsError):
    """A query that is refused, or that DuckDB cannot answer; the message is DuckDB's own where it has one."""


class NoSelectError(QueryError):
    """A query that is not one SELECT, or EXPLAIN of one."""


@contextmanager
def answered(tables: Mapping[str, Any], sql: str) -> Iterator[Any]:
    """Answer a query over some tables, and nothing else.

    Args:
        tables: Arrow tables or data frames, by the names that the query has for them.
        sql: One SELECT, or EXPLAIN of one.

    Yields:
        DuckDB's connection with the answer, to be fetched inside the block: the bound on time holds for that, too.

    Raises:
        NoSelectError: it is something else.
        QueryError: it is not valid, takes longer than `SECONDS` or more memory than `SETTINGS` give.
            One that does not stop within `GRACE` ends the process with exit code 2 instead.
    """
    import duckdb

    with duckdb.connect(config=SETTINGS) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        clock, end = Timer(SECONDS, connection.interrupt), Timer(SECONDS + GRACE, _end)
        try:
            sql.encode()  # a byte of the command line that is no UTF-8
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise NoSelectError(f"{len(statements) or 'no'} statements, and one is answered")
            if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise NoSelectError(f"{statements[0].type.name} is no SELECT, and nothing else is answered")
            clock.start()
            end.start()
            with _small():
                yield connection.execute(statements[0])
        except UnicodeEncodeError:
            raise QueryError("it holds a byte that is no UTF-8") from None
        except duckdb.InterruptException:
            raise QueryError(_too_long()) from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise QueryError(f"it took more than {SETTINGS['memory_limit']} of memory; ask for less") from None
        except (duckdb.Error, ImportError) as error:  # ImportError: pytz, which nothing but times with a zone needs
            raise QueryError(str(error)) from None
        finally:
            clock.cancel()
            end.cancel()


def _too_long() -> str:
    return f"it took longer than {SECONDS:g} s and was stopped; ask for less"


def _end() -> None:
    os.write(2, f"error: a query: {_too_long()}\n".encode())
    os._exit(2)


@contextmanager
def _small() -> Iterator[None]:
    """For the time of the block, this process may take no more than `GROWTH` beside what it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = [limit for limit in (soft, hard, size + GROWTH) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
