from decimal import Decimal

from django.db import models
from django.db.models import Q


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True, null=True, blank=True)
    born = models.DateField(null=True, blank=True)

    def __str__(self):
        return self.name


class Tag(models.Model):
    label = models.SlugField(unique=True)

    def __str__(self):
        return self.label


class Book(models.Model):
    title = models.CharField(max_length=200, db_index=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True, blank=True, related_name="edited")
    tags = models.ManyToManyField(Tag, blank=True, related_name="books")
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal("0.00"))
    pages = models.PositiveIntegerField(default=1)
    meta = models.JSONField(default=dict, blank=True)
    added = models.DateTimeField()
    available = models.BooleanField(default=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["author", "title"], name="one_title_an_author"),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_not_negative"),
        ]
        indexes = [models.Index(fields=["-added"], name="newest_first")]

    def __str__(self):
        return self.title


class Loan(models.Model):
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="loans")
    reader = models.CharField(max_length=60)
    taken = models.DateTimeField(auto_now_add=True)
    returned = models.DateTimeField(null=True, blank=True)
