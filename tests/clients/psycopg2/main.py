"""psycopg2 with its defaults. usage: main.py (PGHOST, PGPORT, PGUSER, PGDATABASE)"""

import datetime
import io
import os
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg2  # noqa: E402
import psycopg2.errorcodes  # noqa: E402
import psycopg2.extras  # noqa: E402
from checks import check, equal, finish  # noqa: E402

conn = psycopg2.connect(dbname=os.environ["PGDATABASE"])
cur = conn.cursor()
cur.execute("DROP TABLE IF EXISTS c_psycopg2")
cur.execute("CREATE TABLE c_psycopg2 (id serial PRIMARY KEY, name varchar(20) NOT NULL, n numeric, d date, doc jsonb, tags int[])")
conn.commit()


@check
def binds_and_reads():
    cur.execute("INSERT INTO c_psycopg2 (name, n, d, doc, tags) VALUES (%s, %s, %s, %s, %s) RETURNING id", ("it's", Decimal("1.10"), datetime.date(2024, 2, 29), psycopg2.extras.Json({"a": 1}), [1, 2]))
    equal(cur.fetchone(), (1,))
    cur.execute("SELECT name, n, d, doc, tags FROM c_psycopg2")
    equal(cur.fetchone(), ("it's", Decimal("1.10"), datetime.date(2024, 2, 29), {"a": 1}, [1, 2]))
    conn.commit()


@check
def fails_and_goes_on():
    try:
        cur.execute("INSERT INTO c_psycopg2 (name) VALUES (%s)", ("x" * 21,))
        raise AssertionError("accepted")
    except psycopg2.Error as e:
        equal(e.pgcode, psycopg2.errorcodes.STRING_DATA_RIGHT_TRUNCATION)
    try:
        cur.execute("SELECT 1")
        raise AssertionError("accepted")
    except psycopg2.Error as e:
        equal(e.pgcode, psycopg2.errorcodes.IN_FAILED_SQL_TRANSACTION)
    conn.rollback()
    cur.execute("SELECT count(*) FROM c_psycopg2")
    equal(cur.fetchone(), (1,))


@check
def rolls_back():
    cur.execute("INSERT INTO c_psycopg2 (name) VALUES ('gone')")
    cur.execute("SAVEPOINT s")
    cur.execute("DELETE FROM c_psycopg2")
    cur.execute("ROLLBACK TO SAVEPOINT s")
    cur.execute("SELECT count(*) FROM c_psycopg2")
    equal(cur.fetchone(), (2,))
    conn.rollback()
    cur.execute("SELECT count(*) FROM c_psycopg2")
    equal(cur.fetchone(), (1,))
    conn.commit()


@check
def copies():
    cur.copy_expert("COPY c_psycopg2 (name, n) FROM STDIN WITH CSV", io.StringIO('a,1\n"b,c",\n'))
    out = io.StringIO()
    cur.copy_expert("COPY c_psycopg2 (name, n) TO STDOUT WITH CSV HEADER", out)
    equal(sorted(out.getvalue().splitlines()), sorted(["name,n", "it's,1.10", "a,1", '"b,c",']))
    conn.commit()


@check
def executes_values():
    psycopg2.extras.execute_values(cur, "INSERT INTO c_psycopg2 (name, n) VALUES %s", [(f"v{i}", i) for i in range(300)])
    named = conn.cursor("named")
    named.itersize = 50
    named.execute("SELECT n FROM c_psycopg2 WHERE name LIKE 'v%' ORDER BY n")
    equal([int(r[0]) for r in named], list(range(300)))
    named.close()
    conn.commit()


cur.execute("DROP TABLE c_psycopg2")
conn.commit()
finish()
