from django.db import IntegrityError, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from .models import Author, Book


class Rollback(TestCase):
    """TestCase wraps each test in a transaction with savepoints; each one must see an empty table."""

    def test_first(self):
        Author.objects.create(name="first")
        self.assertEqual(Author.objects.count(), 1)

    def test_second(self):
        self.assertEqual(Author.objects.count(), 0)
        author = Author.objects.create(name="second")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Book.objects.create(title="x", author=author, price=-1, added=timezone.now())
        self.assertEqual(Book.objects.count(), 0)


class Flush(TransactionTestCase):
    reset_sequences = True

    def test_keys_start_again(self):
        self.assertEqual(Author.objects.create(name="a").pk, 1)

    def test_keys_start_again_too(self):
        self.assertEqual(Author.objects.create(name="b").pk, 1)
