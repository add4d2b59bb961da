"""How the database is browsed: Datasette with pages, templates and looks of our own."""
