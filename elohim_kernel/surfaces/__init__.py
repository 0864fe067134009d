"""Where people and programs meet the workbench: command line, HTTP, notebooks, panels. Nothing is decided here."""
