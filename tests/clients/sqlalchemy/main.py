"""SQLAlchemy and Alembic: what is declared, what the database has and what is reflected are the same.
usage: main.py (PGHOST, PGPORT, PGUSER, PGDATABASE)"""

import contextlib
import datetime
import decimal
import enum
import io
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlalchemy as sa  # noqa: E402
from alembic.autogenerate import compare_metadata, produce_migrations  # noqa: E402
from alembic.migration import MigrationContext  # noqa: E402
from alembic.operations import Operations  # noqa: E402
from checks import check, equal, finish  # noqa: E402
from sqlalchemy.dialects import postgresql as pg  # noqa: E402
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload  # noqa: E402
from sqlalchemy.schema import CreateIndex, CreateTable  # noqa: E402

engine = sa.create_engine("postgresql+psycopg://", connect_args={"dbname": os.environ["PGDATABASE"]})


class Kind(enum.Enum):
    small = 1
    large = 2


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"})


class Owner(Base):
    __tablename__ = "owner"
    __table_args__ = (
        sa.UniqueConstraint("name", "born", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("length(name) > 1", name="name_length"),
        sa.Index("ix_owner_lower", sa.text("lower(name)"), unique=True),
        {"comment": "who owns things"},
    )
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(start=100, increment=5), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), comment="as it is called")
    born: Mapped[datetime.date | None]
    kind: Mapped[Kind] = mapped_column(sa.Enum(Kind, name="kind"), server_default="small")
    things: Mapped[list["Thing"]] = relationship(back_populates="owner", cascade="all, delete-orphan", order_by="Thing.id")


class Thing(Base):
    __tablename__ = "thing"
    __table_args__ = (
        sa.Index("ix_thing_tags", "tags", postgresql_using="gin"),
        sa.Index("ix_thing_price_live", "price", postgresql_where=sa.text("deleted IS NULL"), postgresql_include=["label"]),
        sa.Index("ix_thing_label", sa.text("label DESC NULLS LAST"), "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True)
    label: Mapped[str] = mapped_column(sa.Text, server_default="none")
    price: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(10, 2))
    taxed: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(12, 3), sa.Computed("price * 1.2", persisted=True))
    tags: Mapped[list[str] | None] = mapped_column(pg.ARRAY(sa.String(10)))
    doc: Mapped[dict] = mapped_column(pg.JSONB, server_default=sa.text("'{}'::jsonb"))
    span: Mapped[object | None] = mapped_column(pg.INT4RANGE)
    address: Mapped[object | None] = mapped_column(pg.INET)
    token: Mapped[object] = mapped_column(sa.Uuid, server_default=sa.text("gen_random_uuid()"))
    made: Mapped[datetime.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    lasts: Mapped[datetime.timedelta | None] = mapped_column(pg.INTERVAL)
    at: Mapped[datetime.time | None] = mapped_column(pg.TIME(precision=3))
    bits: Mapped[object | None] = mapped_column(pg.BIT(3))
    ratio: Mapped[float | None] = mapped_column(sa.Double)
    ok: Mapped[bool] = mapped_column(server_default=sa.true())
    raw: Mapped[bytes | None]
    deleted: Mapped[datetime.datetime | None]
    owner: Mapped[Owner] = relationship(back_populates="things")


OPTIONS = {"compare_type": True, "compare_server_default": True, "include_schemas": False}


def differences(conn, metadata):
    return compare_metadata(MigrationContext.configure(conn, opts=OPTIONS), metadata)


def reflected(conn):
    metadata = sa.MetaData()
    metadata.reflect(conn)
    return metadata


def definitions(metadata):
    out = []
    for table in metadata.sorted_tables:
        out.append(str(CreateTable(table).compile(dialect=engine.dialect)))
        out += sorted(str(CreateIndex(i).compile(dialect=engine.dialect)) for i in table.indexes)
    return out


@check
def finds_no_difference_after_create_all():
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with engine.connect() as conn:
        equal(differences(conn, Base.metadata), [])


@check
def reflects_what_it_made():
    with engine.connect() as conn:
        first = reflected(conn)
        wanted = definitions(first)
        assert any("kind" in d for d in wanted) and len(first.tables["thing"].indexes) == 4, wanted
        equal(first.tables["owner"].comment, "who owns things")
    first.drop_all(engine)
    with engine.connect() as conn:
        equal(sa.inspect(conn).get_table_names(), [])
    first.create_all(engine)
    with engine.connect() as conn:
        equal(definitions(reflected(conn)), wanted)
        equal(differences(conn, Base.metadata), [])


@check
def stores_and_loads():
    with Session(engine) as s:
        s.add_all(Owner(name=f"owner {i}", things=[Thing(label=f"t{j}", price=decimal.Decimal("1.50") * j, tags=["a", str(j)], doc={"n": j}) for j in range(3)]) for i in range(5))
        s.commit()
    with Session(engine) as s:
        owners = s.scalars(sa.select(Owner).options(selectinload(Owner.things)).order_by(Owner.id)).all()
        equal([o.id for o in owners], [100, 105, 110, 115, 120])
        equal([(t.label, t.taxed, t.tags, t.doc) for t in owners[4].things], [(f"t{j}", decimal.Decimal("1.800") * j, ["a", str(j)], {"n": j}) for j in range(3)])
        equal(owners[0].kind, Kind.small)
        s.delete(owners[0])
        s.commit()
        equal(s.scalar(sa.select(sa.func.count()).select_from(Thing)), 12)


@check
def migrates_up_and_down():
    with engine.begin() as conn:
        Base.metadata.drop_all(conn)
        context = MigrationContext.configure(conn, opts=OPTIONS)
        script = produce_migrations(context, Base.metadata)
        operations = Operations(context)

        def run(container):
            for op in container.ops:
                run(op) if hasattr(op, "ops") else operations.invoke(op)

        run(script.upgrade_ops)
        equal(differences(conn, Base.metadata), [])
        run(script.downgrade_ops)
        equal(sa.inspect(conn).get_table_names(), [])


@check
def finds_and_makes_changes():
    with engine.begin() as conn:
        Base.metadata.drop_all(conn)
    Base.metadata.create_all(engine)
    changed = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(changed)
    owner = changed.tables["owner"]
    owner.c.name.type, owner.c.name.comment = sa.String(80), "longer"
    owner.append_column(sa.Column("email", sa.String(100), nullable=False, server_default=""))
    changed.tables["thing"].c.ratio.nullable = False
    changed.tables["thing"].c.label.server_default = sa.DefaultClause("that")
    with engine.begin() as conn:
        context = MigrationContext.configure(conn, opts=OPTIONS)
        script = produce_migrations(context, changed)
        equal(sorted(op.column_name for table in script.upgrade_ops.ops for op in table.ops if hasattr(op, "modify_type")), ["label", "name", "ratio"])
        operations = Operations(context)
        for table in script.upgrade_ops.ops:
            for op in table.ops:
                operations.invoke(op)
        equal(differences(conn, changed), [])


@check
def writes_the_same_as_sql():
    out = io.StringIO()
    with contextlib.redirect_stdout(out), engine.connect() as conn:
        context = MigrationContext.configure(conn, opts=OPTIONS | {"as_sql": True, "output_buffer": out})
        Operations(context).create_index("ix_again", "thing", ["at"], postgresql_concurrently=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text(out.getvalue().rstrip(";\n ")))
        assert "ix_again" in [i["name"] for i in sa.inspect(conn).get_indexes("thing")]


engine.dispose()
finish()
