"""What Datasette adds: templates, static files and the plugin."""
