"""The command line: typer commands and how their answers are printed."""
