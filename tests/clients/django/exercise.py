"""Works with the project as its developers and users would, and checks every answer.

usage: exercise.py   (PGHOST, PGPORT, PGUSER, PGDATABASE name the server; the database is empty)
Prints one line a check and, at last, "N passed, N failed".
"""

import datetime
import io
import json
import os
import shutil
import sys
import tempfile
import traceback
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
work = Path(tempfile.mkdtemp(prefix="pgmongo-django-"))
shutil.copytree(HERE, work / "site")
sys.path.insert(0, str(work / "site"))
os.chdir(work / "site")
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"

import django  # noqa: E402

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402
from django.db.models import Avg, Count, F, Max, Q, Sum, Value, Window  # noqa: E402
from django.db.models.functions import Concat, Lower, RowNumber, TruncMonth  # noqa: E402
from django.test import Client  # noqa: E402
from library.models import Author, Book, Loan, Tag  # noqa: E402

results = []


def check(f):
    try:
        f()
        results.append(True)
        print("ok   ", f.__name__)
    except Exception:
        results.append(False)
        print("FAIL ", f.__name__)
        traceback.print_exc()
    return f


def equal(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


ADDED = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=datetime.timezone.utc)


def book(author, title, **more):
    return Book(author=author, title=title, added=more.pop("added", ADDED), **more)


@check
def makes_and_applies_migrations():
    call_command("makemigrations", "library", verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("migrate", check_unapplied=True, verbosity=0)


@check
def alters_a_table_with_rows():
    author = Author.objects.create(name="Before", born=datetime.date(1900, 1, 2))
    models = work / "site" / "library" / "models.py"
    text = models.read_text()
    models.write_text(text.replace("    born = models.DateField", '    country = models.CharField(max_length=40, default="unknown")\n    born = models.DateField').replace("max_length=60", "max_length=120"))
    os.system(f"{sys.executable} manage.py makemigrations library -v 0 && {sys.executable} manage.py migrate -v 0")
    with connection.cursor() as c:
        c.execute("SELECT name, country, born FROM library_author WHERE id = %s", [author.pk])
        equal(c.fetchall(), [("Before", "unknown", datetime.date(1900, 1, 2))])
        c.execute("ALTER TABLE library_author ALTER COLUMN country SET DEFAULT 'nowhere'")
    out = io.StringIO()
    call_command("showmigrations", "library", stdout=out)
    equal(out.getvalue().count("[X]"), 2)
    author.delete()


@check
def creates_and_reads_back():
    a = Author.objects.create(name="Ada", email="ada@example.com", born=datetime.date(1815, 12, 10))
    b = book(a, "Notes", price=Decimal("12.50"), meta={"b": [1, {"c": None}], "a": "é"}, pages=65)
    b.save()
    b.refresh_from_db()
    equal(b.added, ADDED)
    equal(b.price, Decimal("12.50"))
    equal(b.meta, {"b": [1, {"c": None}], "a": "é"})
    equal(b.author.name, "Ada")


@check
def bulk_creates():
    g = Author.objects.create(name="Grace", email="grace@example.com")
    made = Book.objects.bulk_create([book(g, f"Manual {i:02}", price=Decimal(i), pages=10 * i + 1, added=ADDED + datetime.timedelta(days=31 * i)) for i in range(20)])
    assert all(m.pk for m in made)
    equal(Book.objects.filter(author=g).count(), 20)
    Tag.objects.bulk_create([Tag(label="navy"), Tag(label="maths")])
    Tag.objects.bulk_create([Tag(label="navy")], ignore_conflicts=True)
    equal(Tag.objects.count(), 2)


@check
def looks_up():
    equal(list(Book.objects.filter(title__startswith="Manual 0", pages__gt=50).values_list("pages", flat=True)), [51, 61, 71, 81, 91])
    equal(Book.objects.filter(title__icontains="NOTES").count(), 1)
    equal(Book.objects.filter(Q(price__lt=2) | Q(author__name="Ada")).count(), 3)
    equal(Book.objects.exclude(editor__name="x").count(), 21)
    equal(Book.objects.filter(price__in=[1, 2, 3]).count(), 3)
    equal(Book.objects.filter(meta__a="é").get().title, "Notes")
    equal(Book.objects.filter(meta__b__1__c=None).count(), 1)
    equal(Book.objects.filter(meta__has_key="b").count(), 1)
    equal(Book.objects.filter(meta__contains={"a": "é"}).count(), 1)
    equal(Book.objects.filter(added__year=2024, added__month=5).count(), 2)
    equal(Book.objects.filter(added=ADDED).count(), 2)
    equal(Book.objects.filter(added__gt=ADDED - datetime.timedelta(microseconds=1), added__lt=ADDED + datetime.timedelta(microseconds=1)).count(), 2)
    equal(Author.objects.filter(born__isnull=True).get().name, "Grace")
    equal(Author.objects.filter(books__price__gt=100).exists(), False)
    equal(Book.objects.order_by("-price")[2:4].values_list("price", flat=True)[0], Decimal("17.00"))
    equal(Book.objects.filter(title__regex=r"^Manual 1[0-4]$").count(), 5)
    equal([a.name for a in Author.objects.order_by(F("born").desc(nulls_last=True))], ["Ada", "Grace"])


@check
def updates_with_f():
    Book.objects.filter(author__name="Grace").update(pages=F("pages") + 1, price=F("price") * 2)
    equal(Book.objects.get(title="Manual 03").pages, 32)
    equal(Book.objects.get(title="Manual 03").price, Decimal("6.00"))
    books = list(Book.objects.filter(title__in=["Manual 01", "Manual 02"]))
    for b in books:
        b.available = False
    equal(Book.objects.bulk_update(books, ["available"]), 2)
    equal(Book.objects.filter(available=False).count(), 2)


@check
def annotates_and_aggregates():
    rows = Author.objects.annotate(n=Count("books"), top=Max("books__price")).order_by("name").values_list("name", "n", "top")
    equal(list(rows), [("Ada", 1, Decimal("12.50")), ("Grace", 20, Decimal("38.00"))])
    totals = Book.objects.aggregate(Sum("pages"), Avg("pages"), n=Count("*"))
    equal((totals["pages__sum"], totals["n"]), (2005, 21))
    equal(round(totals["pages__avg"], 4), round(2005 / 21, 4))
    equal(list(Author.objects.annotate(n=Count("books", filter=Q(books__available=False))).filter(n__gt=1).values_list("name", flat=True)), ["Grace"])
    equal(Book.objects.annotate(full=Concat(Lower("title"), Value("!"))).get(title="Notes").full, "notes!")
    months = Book.objects.annotate(month=TruncMonth("added")).values("month").annotate(n=Count("pk")).order_by("month")
    equal(months[0]["n"], 2)
    ranked = Book.objects.annotate(r=Window(RowNumber(), partition_by="author", order_by=F("price").desc())).filter(r=1).order_by("title")
    equal([b.title for b in ranked], ["Manual 19", "Notes"])


@check
def follows_relations():
    navy = Tag.objects.get(label="navy")
    for b in Book.objects.filter(title__startswith="Manual 1"):
        b.tags.add(navy)
    equal(navy.books.count(), 10)
    equal(Book.objects.filter(tags__label="navy").distinct().count(), 10)
    got = {b.title: [t.label for t in b.tags.all()] for b in Book.objects.prefetch_related("tags").select_related("author", "editor")}
    equal(got["Manual 15"], ["navy"])
    equal(got["Notes"], [])
    equal(Book.objects.select_related("author").get(title="Notes").author.email, "ada@example.com")


@check
def updates_or_creates():
    a, created = Author.objects.update_or_create(email="linus@example.com", defaults={"name": "Linus"})
    equal(created, True)
    a, created = Author.objects.update_or_create(email="linus@example.com", defaults={"name": "Linus T."})
    equal((a.name, created), ("Linus T.", False))
    a, created = Author.objects.get_or_create(email="linus@example.com")
    equal(created, False)
    Tag.objects.bulk_create([Tag(label="navy")], update_conflicts=True, unique_fields=["label"], update_fields=["label"])
    equal(Tag.objects.count(), 2)


@check
def keeps_constraints():
    ada = Author.objects.get(name="Ada")

    def refused(f):
        try:
            with transaction.atomic():
                f()
        except IntegrityError as e:
            return e.__cause__.sqlstate
        raise AssertionError("accepted")

    equal(refused(lambda: book(ada, "Notes").save()), "23505")
    equal(refused(lambda: book(ada, "Cheap", price=-1).save()), "23514")
    equal(refused(lambda: Author.objects.create(name="Other", email="ada@example.com")), "23505")
    equal(refused(lambda: Author.objects.create(name=None)), "23502")
    Author.objects.create(name="No mail 1")
    Author.objects.create(name="No mail 2")
    Author.objects.filter(name__startswith="No mail").delete()
    try:
        with transaction.atomic():
            Loan.objects.create(book_id=10**9, reader="nobody")
        raise AssertionError("accepted")
    except IntegrityError as e:
        equal(e.__cause__.sqlstate, "23503")


@check
def rolls_back_nested_transactions():
    before = Author.objects.count()
    try:
        with transaction.atomic():
            Author.objects.create(name="outer")
            try:
                with transaction.atomic():
                    Author.objects.create(name="inner")
                    raise KeyError
            except KeyError:
                pass
            equal(Author.objects.filter(name="inner").exists(), False)
            with transaction.atomic():
                Author.objects.create(name="inner 2")
            equal(Author.objects.count(), before + 2)
            raise ValueError
    except ValueError:
        pass
    equal(Author.objects.count(), before)
    with transaction.atomic():
        equal(Author.objects.select_for_update().get(name="Ada").name, "Ada")


@check
def runs_raw_sql():
    rows = Book.objects.raw("SELECT b.*, a.name AS who FROM library_book b JOIN library_author a ON a.id = b.author_id WHERE a.name = %s", ["Ada"])
    equal([(r.title, r.who) for r in rows], [("Notes", "Ada")])
    with connection.cursor() as c:
        c.execute("SELECT count(*), max(price) FROM library_book WHERE pages > %s", [100])
        equal(c.fetchone(), (10, Decimal("38.00")))


@check
def deletes_with_cascade():
    a = Author.objects.create(name="Gone")
    book(a, "Gone too").save()
    kept = book(Author.objects.get(name="Ada"), "Edited", editor=a)
    kept.save()
    a.delete()
    equal(Book.objects.filter(title="Gone too").exists(), False)
    kept.refresh_from_db()
    equal(kept.editor, None)


@check
def serves_the_admin():
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = "secret"
    call_command("createsuperuser", username="admin", email="admin@example.com", interactive=False, verbosity=0)
    equal(get_user_model().objects.get().is_superuser, True)
    c = Client()
    equal(c.post("/admin/login/?next=/admin/", {"username": "admin", "password": "secret"}).status_code, 302)
    equal(c.get("/admin/").status_code, 200)
    ada = Author.objects.get(name="Ada")
    form = {"title": "From the admin", "author": ada.pk, "editor": "", "price": "3.50", "pages": "7", "meta": '{"x": 1}', "added_0": "2024-01-02", "added_1": "03:04:05", "available": "on", "tags": [t.pk for t in Tag.objects.all()]}
    r = c.post("/admin/library/book/add/", form)
    equal(r.status_code, 302)
    made = Book.objects.get(title="From the admin")
    equal(made.tags.count(), 2)
    form["title"] = "Changed"
    equal(c.post(f"/admin/library/book/{made.pk}/change/", form).status_code, 302)
    equal(Book.objects.get(pk=made.pk).title, "Changed")
    page = c.get("/admin/library/book/", {"q": "ada"}).content.decode()
    assert "Changed" in page and "Notes" in page and "Manual" not in page, page
    page = c.get("/admin/library/book/", {"available__exact": "0"}).content.decode()
    assert "Manual 01" in page and "Manual 03" not in page
    equal(c.get(f"/admin/library/book/{made.pk}/history/").status_code, 200)
    equal(c.post(f"/admin/library/book/{made.pk}/delete/", {"post": "yes"}).status_code, 302)
    equal(Book.objects.filter(pk=made.pk).exists(), False)
    equal(c.post("/admin/library/book/", {"action": "delete_selected", "_selected_action": [Book.objects.get(title="Edited").pk], "post": "yes"}).status_code, 302)
    equal(Book.objects.filter(title="Edited").exists(), False)


@check
def dumps_and_loads():
    dump = work / "dump.json"
    call_command("dumpdata", "library", output=str(dump), verbosity=0)
    n = len(json.loads(dump.read_text()))

    def rows():  # JSON dumps keep milliseconds only
        return [(t, p, a.replace(microsecond=a.microsecond // 1000 * 1000), m) for t, p, a, m in Book.objects.values_list("title", "price", "added", "meta").order_by("pk")]

    before = rows()
    call_command("flush", interactive=False, verbosity=0)
    equal(Book.objects.count(), 0)
    call_command("loaddata", str(dump), verbosity=0)
    equal(rows(), before)
    assert n > 20
    Author.objects.create(name="After the load")


@check
def inspects_the_database():
    out = io.StringIO()
    call_command("inspectdb", stdout=out)
    text = out.getvalue()
    for line in ["class LibraryBook(models.Model):", "author = models.ForeignKey(LibraryAuthor, models.DO_NOTHING)", "price = models.DecimalField(max_digits=8, decimal_places=2)", "meta = models.JSONField()", "unique_together = (('author', 'title'),)"]:
        assert line in text, f"{line} is not in\n{text}"
    for extra in os.environ.get("INSPECT_TABLES", "").split():
        out = io.StringIO()
        call_command("inspectdb", extra, stdout=out)
        assert "Unable to inspect" not in out.getvalue(), out.getvalue()
        exec(compile(out.getvalue().replace("from django.contrib.gis.db", "from django.db"), "inspected", "exec"), {"__name__": "library.inspected"})


@check
def runs_its_own_tests():
    equal(os.system(f"{sys.executable} manage.py test library -v 0"), 0)


shutil.rmtree(work)
print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(0 if all(results) else 1)
