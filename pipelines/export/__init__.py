"""What leaves the database in files of its own: tables for analysts, films for a home cinema."""
