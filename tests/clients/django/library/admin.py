from django.contrib import admin

from .models import Author, Book, Loan, Tag


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "price", "available"]
    list_filter = ["available", "tags"]
    search_fields = ["title", "author__name"]
    date_hierarchy = "added"
    filter_horizontal = ["tags"]


admin.site.register([Author, Tag, Loan])
