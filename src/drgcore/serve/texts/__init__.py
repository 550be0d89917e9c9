"""The words of single pages, and of the tables that several show."""
