"""`python -m command_center.http`, the same as `command-center`."""

from command_center.http.cli.main import main

main(prog_name="command-center")
