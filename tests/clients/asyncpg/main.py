"""asyncpg with its defaults (binary everywhere). usage: main.py (PGHOST, PGPORT, PGUSER, PGDATABASE)"""

import asyncio
import datetime
import sys
import uuid
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg  # noqa: E402
from checks import check, equal, finish  # noqa: E402

loop = asyncio.new_event_loop()
run = loop.run_until_complete
conn = run(asyncpg.connect())
run(conn.execute("DROP TABLE IF EXISTS c_asyncpg"))
run(conn.execute("CREATE TABLE c_asyncpg (id bigint PRIMARY KEY, f float8, b bytea, i interval, ts timestamp, tags text[], u uuid, n numeric, doc jsonb)"))
ROW = (1, 1.5, b"\x00\xff", datetime.timedelta(days=3, seconds=7, microseconds=9), datetime.datetime(2020, 1, 2, 3, 4, 5, 678901), ["a", None], uuid.UUID(int=5), Decimal("12.340"), '{"a": [1, 2]}')


@check
def binds_and_reads_every_type():
    equal(run(conn.execute("INSERT INTO c_asyncpg VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", *ROW)), "INSERT 0 1")
    equal(tuple(run(conn.fetchrow("SELECT * FROM c_asyncpg WHERE id = $1", 1))), ROW)


@check
def infers_parameter_types():
    equal(run(conn.fetchval("SELECT count(*) FROM c_asyncpg WHERE id = ANY($1) AND f > $2", [1, 2], 1.0)), 1)
    equal(run(conn.fetchval("SELECT $1 || 'x'", "é")), "éx")
    equal(run(conn.fetch("SELECT id FROM c_asyncpg LIMIT $1 OFFSET $2", 1, 0)), [(1,)])


@check
def runs_transactions():
    async def work():
        async with conn.transaction():
            await conn.execute("INSERT INTO c_asyncpg (id) VALUES (2)")
            try:
                async with conn.transaction():
                    await conn.execute("INSERT INTO c_asyncpg (id) VALUES (2)")
            except asyncpg.UniqueViolationError as e:
                equal(e.constraint_name, "c_asyncpg_pkey")
        return await conn.fetchval("SELECT count(*) FROM c_asyncpg")

    equal(run(work()), 2)


@check
def reads_by_cursor():
    async def work():
        async with conn.transaction():
            return [r["n"] async for r in conn.cursor("SELECT n FROM generate_series(1, 500) n", prefetch=50)]

    equal(run(work()), list(range(1, 501)))


@check
def executes_many_and_copies():
    run(conn.executemany("INSERT INTO c_asyncpg (id, f) VALUES ($1, $2)", [(i, i / 2) for i in range(10, 60)]))
    run(conn.copy_records_to_table("c_asyncpg", records=[(i, float(i)) for i in range(100, 200)], columns=["id", "f"]))
    equal(run(conn.fetchval("SELECT sum(f) FROM c_asyncpg WHERE id >= 10")), sum(i / 2 for i in range(10, 60)) + sum(range(100, 200)))


@check
def loads_its_types():
    run(conn.execute("DROP TYPE IF EXISTS c_mood"))
    run(conn.execute("CREATE TYPE c_mood AS ENUM ('sad', 'happy')"))
    equal(run(conn.fetchval("SELECT 'happy'::c_mood")), "happy")
    equal(run(conn.fetchval("SELECT $1::c_mood[]", ["sad", "happy"])), ["sad", "happy"])
    run(conn.execute("DROP TYPE c_mood"))


@check
def cancels():
    async def work():
        try:
            await conn.execute("SELECT pg_sleep(30)", timeout=0.2)
        except asyncio.TimeoutError:
            return await conn.fetchval("SELECT 1")

    equal(run(work()), 1)


run(conn.execute("DROP TABLE c_asyncpg"))
run(conn.close())
finish()
