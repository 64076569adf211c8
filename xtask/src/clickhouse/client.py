"""Does what `clickhouse-client` does with the options of docs/clickhouse.md, by chdb: runs one query on the
database in the folder $CLICKHOUSE_FOLDER. An INSERT reads its data from standard input.
"""

import argparse
import os
import sys

from chdb.session import Session


def main():
    parser = argparse.ArgumentParser(prog="clickhouse-client", allow_abbrev=False)
    parser.add_argument("--query", required=True)
    parser.add_argument("--format", default="TabSeparated")
    known, rest = parser.parse_known_args()
    if len(rest) % 2 or not all(name.startswith("--") for name in rest[::2]):
        parser.error(f"not --SETTING VALUE: {rest}")
    session = Session(os.environ["CLICKHOUSE_FOLDER"])
    for name, value in zip(rest[::2], rest[1::2]):
        session.query(f"SET {name[2:]} = '{value}'")
    query = known.query
    if query.lstrip().upper().startswith("INSERT"):
        query = query + "\n" + sys.stdin.read()
    try:
        sys.stdout.write(str(session.query(query, known.format)))
    except Exception as error:
        sys.exit(f"clickhouse-client: {error}")
    finally:
        session.close()


main()
