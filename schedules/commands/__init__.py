"""The commands, grouped by what people do with them; `schedules.cli` puts them together."""
